import {
  draftRecord,
  layOutRecord,
  minRecordBytes,
  type OrderInfo,
  PropertyName,
  parseProperties,
  printExtraInfo,
  printProperties,
  RecordAt,
  RecordLayout,
  readInt,
  readLong,
  recordSize,
  retryMarkOf,
  writeRecord,
} from '@skua-mq/protocol'
import type { GetResult } from '@skua-mq/store'
import type { Position } from './positions.ts'

/** Messages that were taken out of one queue. */
export interface Taken {
  readonly topic: string
  readonly queueId: number
  readonly isRetry: boolean
  readonly startOffset: number
  readonly offsets: readonly number[]
  readonly result: GetResult
  readonly position: Position
}

/** The records of a read one by one. What is too short to be one ends its slice: the disk may hold anything. */
function* recordsIn(slices: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const slice of slices) {
    for (let at = 0; slice.length - at >= minRecordBytes; ) {
      const size = readInt(slice, at)
      if (size < minRecordBytes) break
      yield slice.subarray(at, at + size)
      at += size
    }
  }
}

/** Queue offsets of the records that a read found. */
export function offsetsIn(slices: readonly Uint8Array[]): number[] {
  const offsets: number[] = []
  for (const record of recordsIn(slices)) offsets.push(readLong(record, RecordAt.queueOffset))
  return offsets
}

/** startOffsetInfo: `mark queue offset` of each queue. */
export const startOffsetInfo = (taken: readonly Taken[]): string =>
  taken.map(({ topic, queueId, startOffset }) => `${retryMarkOf(topic)} ${queueId} ${startOffset}`).join(';')

/** msgOffsetInfo: `mark queue offset,offset…` of each queue. */
export const msgOffsetInfo = (taken: readonly Taken[]): string =>
  taken.map(({ topic, queueId, offsets }) => `${retryMarkOf(topic)} ${queueId} ${offsets.join()}`).join(';')

/** orderCountInfo: how often messages were taken before, one by one, and for old clients by queue. */
export function orderCountInfo(topic: string, queueId: number, { oc, o }: OrderInfo): string {
  const mark = retryMarkOf(topic)
  const counts = [...(oc ?? [])]
  const least = counts.length < o.length ? 0 : Math.min(...counts.map(([, times]) => times))
  const single = counts.map(([offset, times]) => `${mark} qo${queueId}%${offset} ${times}`)
  return [...single, `${mark} ${queueId} ${least}`].join(';')
}

/** What a consumer must know of the pop of a retried message, since it sees its own topic only. */
export interface RetriedPop {
  readonly topic: string
  readonly popTime: number
  readonly invisibleTime: number
  readonly reviveQid: number
  readonly brokerName: string
}

/**
 * A retried message as its consumer gets it: under the topic that it subscribes to, with the property POP_CK, in which the
 * retry topic is marked. Offsets and ids stay.
 */
export function retriedRecord(
  record: Uint8Array,
  startOffset: number,
  retryTopic: string,
  pop: RetriedPop,
): Uint8Array {
  const layout = new RecordLayout()
  if (!layOutRecord(record, 0, { end: record.length, layout })) return record
  const queueId = readInt(record, RecordAt.queueId)
  const queueOffset = readLong(record, RecordAt.queueOffset)
  const { propertiesAt, propertiesLength } = layout
  const text = Buffer.from(record.subarray(propertiesAt, propertiesAt + propertiesLength)).toString()
  const properties = parseProperties(text)
  const { popTime, invisibleTime, reviveQid, brokerName } = pop
  const mark = retryMarkOf(retryTopic)
  const info = { startOffset, popTime, invisibleTime, reviveQid, mark, brokerName, queueId, queueOffset }
  if (!properties.has(PropertyName.popCheckPoint)) properties.set(PropertyName.popCheckPoint, printExtraInfo(info))
  const draft = draftRecord({
    queueId,
    flag: readInt(record, RecordAt.flag),
    queueOffset,
    physicalOffset: readLong(record, RecordAt.physicalOffset),
    sysFlag: layout.sysFlag,
    bornTimestamp: readLong(record, RecordAt.bornTimestamp),
    bornHost: record.subarray(layout.bornHostAt, layout.storeTimestampAt),
    storeTimestamp: readLong(record, layout.storeTimestampAt),
    storeHost: record.subarray(layout.storeHostAt, layout.reconsumeTimesAt),
    reconsumeTimes: readInt(record, layout.reconsumeTimesAt),
    preparedTransactionOffset: readLong(record, layout.preparedTransactionOffsetAt),
    body: record.subarray(layout.bodyAt, layout.bodyAt + layout.bodyLength),
    topic: Buffer.from(pop.topic),
    properties: Buffer.from(printProperties(properties)),
  })
  const out = Buffer.allocUnsafe(recordSize(draft))
  writeRecord(out, 0, draft)
  return out
}

/** The records of a read, retried ones rewritten. */
export function recordsOf(
  { topic, isRetry, startOffset, result }: Taken,
  pop: RetriedPop,
  isActual: boolean,
): Uint8Array[] {
  if (!isRetry || isActual) return [...result.slices]
  return [...recordsIn(result.slices)].map(record => retriedRecord(record, startOffset, topic, pop))
}
