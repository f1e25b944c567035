import fs from 'node:fs'
import { type MachineNet, parseConnections, parseInterfaces, parseSegments } from '../machine-net.ts'

/** This machine's network as Linux tells it; elsewhere every part is undefined. `root` for tests. */
export function machineNet(root = '/proc'): MachineNet {
  const [dev, snmp] = [read(`${root}/net/dev`), read(`${root}/net/snmp`)]
  const tables = [read(`${root}/net/tcp`), read(`${root}/net/tcp6`)].filter(text => text !== undefined)
  return {
    interfaces: dev === undefined ? undefined : parseInterfaces(dev),
    connections: tables.length === 0 ? undefined : tables.flatMap(parseConnections),
    segments: snmp === undefined ? undefined : parseSegments(snmp),
  }
}

function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
