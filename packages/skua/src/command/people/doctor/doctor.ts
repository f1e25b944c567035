import { type AdminSession, type Advertised, diagnose, type Finding } from '@skua-mq/admin'
import { parseAddress } from '@skua-mq/remoting'
import { machineNet } from '@skua-mq/runtime'
import { emptyLine, lines } from '../../mqadmin/frame/table.ts'
import { type Given, personCommand } from '../frame.ts'
import { measureLinks } from './links.ts'
import { machineFindings, machineReport } from './machine.ts'
import { type NetReport, netView } from './net-view.ts'

/** What was found; `net` only with `--net`. */
export interface Diagnosis {
  readonly findings: readonly Finding[]
  readonly net?: NetReport
}

interface Options {
  /** Seconds. */
  readonly watch: number
  readonly net?: boolean
}

/** `skua doctor`. */
export const doctor = personCommand({
  run: async ({ session, options }: Given<Options>): Promise<Diagnosis> => {
    const { findings, brokers } = await diagnose(session, { watchMs: options.watch * 1000 })
    if (options.net !== true) return { findings }
    const net = await netReport(session, brokers)
    return { findings: [...findings, ...machineFindings(net)], net }
  },
  show: ({ findings, net }) => [
    ...(net === undefined ? [] : [...netView(net), emptyLine]),
    lines(
      ...findings.map(({ severity, sentence }) => `${severity}: ${sentence}`),
      ...(findings.length === 0 ? ['nothing is wrong'] : [summary(findings)]),
    ),
  ],
  exitCode: ({ findings }) => (findings.some(({ severity }) => severity === 'error') ? 1 : 0),
})

function summary(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  return `${errors} errors, ${findings.length - errors} warnings`
}

async function netReport(session: AdminSession, brokers: readonly Advertised[]): Promise<NetReport> {
  const servers = new Map<number, string>(session.nameServers().map(at => [parseAddress(at).port, 'name server']))
  for (const { name, address } of brokers) servers.set(parseAddress(address).port, name)
  const links = await measureLinks(session, brokers)
  return { links, ...(await machineReport(machineNet, session.runtime.clock, servers)) }
}
