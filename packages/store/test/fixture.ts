import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Disk } from '@skua-mq/runtime'

export interface ExpectedMessage {
  readonly phyOffset: number
  readonly size: number
  readonly bodyCRC: number
  readonly queueId: number
  readonly queueOffset: number
  readonly flag: number
  readonly sysFlag: number
  readonly bornTimestamp: number
  readonly storeTimestamp: number
  readonly reconsumeTimes: number
  readonly preparedTransactionOffset: number
  readonly bodyHex: string
  readonly topic: string
  readonly properties: Readonly<Record<string, string>>
}

export interface ExpectedStore {
  readonly messages: readonly ExpectedMessage[]
  readonly consumeQueues: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { firstUnit: number; maxOffset: number; entries: readonly (readonly [number, number, number])[] }
        >
      >
    >
  >
  readonly minOffset: number
  readonly maxOffset: number
  readonly abort: boolean
}

const fixtures = new URL('./fixtures/', import.meta.url)

/** The store directory of a fixture, below `root`; only the parts that a store reads. */
export function unpackFixture(name: string, disk: Disk, root: string): void {
  for (const { path, bytes } of entriesOf(gunzipSync(readFileSync(new URL(`${name}.tar.gz`, fixtures))))) {
    const inside = path.slice(path.indexOf('/') + 1)
    if (!/^(commitlog|consumequeue|index|checkpoint|abort$|lock)/.test(inside)) continue
    const target = `${root}/${inside}`
    disk.makeDirectory(target.slice(0, target.lastIndexOf('/')))
    disk.writeFile(target, bytes)
  }
}

export function expectedOf(name: string): ExpectedStore {
  return JSON.parse(gunzipSync(readFileSync(new URL(`${name}.expected.json.gz`, fixtures))).toString('utf8'))
}

/** The regular files of a tar archive with plain ustar headers. */
function entriesOf(tar: Buffer): { path: string; bytes: Buffer }[] {
  const found: { path: string; bytes: Buffer }[] = []
  const text = (at: number, length: number) => tar.toString('utf8', at, at + length).replace(/\0.*$/s, '')
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    const prefix = text(at + 345, 155)
    const path = (prefix === '' ? '' : `${prefix}/`) + text(at, 100)
    const type = tar[at + 156]
    if (type === 0x30 || type === 0) found.push({ path, bytes: tar.subarray(at + 512, at + 512 + size) })
    else if (type !== 0x35) throw new Error(`${path}: entry type ${type} is not known to this reader`)
    at += 512 + Math.ceil(size / 512) * 512
  }
  return found
}
