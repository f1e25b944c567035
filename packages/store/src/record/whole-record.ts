import { minRecordBytes, RecordAt, RecordMagic, readInt } from '@skua-mq/protocol'

const word = 0x1_0000_0000

/**
 * Whether `bytes[from, to)` is one record that lies at `offset` of the log, with parts as long as it says (store.md 2.1): what
 * `RecordView.parse` and its fields say, for answers, which look at each message and need none of the fields.
 */
export function isWholeRecord(bytes: Uint8Array, span: { readonly from: number; readonly to: number }, offset: number) {
  const { from, to } = span
  if (to > bytes.length || to - from < minRecordBytes || readInt(bytes, from) !== to - from) return false
  const magic = readInt(bytes, from + RecordAt.magic)
  if (magic !== RecordMagic.v1 && magic !== RecordMagic.v2) return false
  const place = from + RecordAt.physicalOffset
  if (readInt(bytes, place) * word + (readInt(bytes, place + 4) >>> 0) !== offset) return false
  return endOf(bytes, from, magic === RecordMagic.v2 ? 2 : 1, to) === to
}

/** Where its properties end; -1 where a part is longer than what is left. */
function endOf(bytes: Uint8Array, from: number, topicLengthBytes: 1 | 2, to: number): number {
  const sysFlag = bytes[from + RecordAt.sysFlag + 3]!
  // Two hosts of 8 or 20 bytes, between them the store time, behind them 12 bytes that say nothing of lengths.
  const hosts = ((sysFlag & 0x10) === 0 ? 8 : 20) + ((sysFlag & 0x20) === 0 ? 8 : 20)
  const bodyAt = from + RecordAt.bornHost + hosts + 8 + 12 + 4
  if (bodyAt > to) return -1
  const bodyLength = readInt(bytes, bodyAt - 4)
  if (bodyLength < 0) return -1
  const topicAt = bodyAt + bodyLength + topicLengthBytes
  if (topicAt + 2 > to) return -1
  const topicLength = bytes[topicAt - 1]! | (topicLengthBytes === 2 ? bytes[topicAt - 2]! << 8 : 0)
  const propertiesAt = topicAt + topicLength + 2
  if (propertiesAt > to) return -1
  const propertiesLength = (bytes[propertiesAt - 2]! << 8) | bytes[propertiesAt - 1]!
  return propertiesLength > 0x7fff ? -1 : propertiesAt + propertiesLength
}
