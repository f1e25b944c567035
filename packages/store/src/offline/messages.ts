import { readRecord, type StoredMessage } from '@skua-mq/protocol'
import type { Disk } from '@skua-mq/runtime'
import { readStoreDirectory } from './directory.ts'
import { logRecords, type Progress } from './log-records.ts'

/** What a message has to have; a field left out asks for nothing. */
export interface RecordFilter {
  readonly topic?: string
  readonly queueId?: number
  /** Physical offset from which on. */
  readonly from?: number
  /** A token of KEYS, or the UNIQ_KEY. */
  readonly key?: string
  readonly tag?: string
  readonly properties?: Readonly<Record<string, string>>
  /** Bytes of UTF-8 that the body holds as it is stored, maybe compressed. */
  readonly body?: string
}

/** The messages of a store in log order; a stretch that cannot be read is skipped: `verifyStore` names it. */
export async function* storedMessages(
  disk: Disk,
  root: string,
  filter: RecordFilter = {},
  progress?: Progress,
): AsyncGenerator<StoredMessage, void, void> {
  for await (const entry of logRecords(disk, readStoreDirectory(disk, root).log, progress)) {
    if (entry.kind === 'damaged') continue
    const { bytes, at, size } = entry.view
    const message = readRecord(bytes, at, { end: at + size })?.message
    if (message === undefined || !passes(message, filter)) continue
    // The next read overwrites what the body is a view of.
    message.body = Buffer.from(message.body)
    yield message
  }
}

function passes(message: StoredMessage, filter: RecordFilter): boolean {
  const { properties } = message
  if (filter.topic !== undefined && message.topic !== filter.topic) return false
  if (filter.queueId !== undefined && message.queueId !== filter.queueId) return false
  if (filter.from !== undefined && message.physicalOffset < filter.from) return false
  if (filter.tag !== undefined && properties.get('TAGS') !== filter.tag) return false
  if (filter.body !== undefined && !Buffer.from(message.body).includes(filter.body)) return false
  for (const [name, value] of Object.entries(filter.properties ?? {})) {
    if (properties.get(name) !== value) return false
  }
  if (filter.key === undefined || properties.get('UNIQ_KEY') === filter.key) return true
  return (properties.get('KEYS') ?? '').split(' ').includes(filter.key)
}

/** A message as `skua store cat --json` prints it: bornHost without its port, the body in hex as it is stored. */
export function messageJson(message: StoredMessage): Readonly<Record<string, unknown>> {
  return {
    phyOffset: message.physicalOffset,
    size: message.storeSize,
    topic: message.topic,
    queueId: message.queueId,
    queueOffset: message.queueOffset,
    sysFlag: message.sysFlag,
    flag: message.flag,
    bodyCRC: message.bodyCrc,
    bornTimestamp: message.bornTimestamp,
    storeTimestamp: message.storeTimestamp,
    bornHost: message.bornHost.address,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: message.preparedTransactionOffset,
    properties: Object.fromEntries(message.properties),
    bodyHex: Buffer.from(message.body).toString('hex'),
  }
}
