import { bodyCrc } from './crc.ts'
import { utf8 } from './java-hash.ts'
import { SysFlag } from './sys-flag.ts'

/** Second field of a record (store.md 2.1), as signed numbers. */
export const RecordMagic = {
  /** The topic's length is one byte. */
  v1: 0xdaa320a7 | 0,
  /** The topic's length is two bytes; 5.x writes it for topics longer than 127. */
  v2: 0xdaa320ab | 0,
  /** Not a message: fills the end of a segment. */
  blank: 0xcbd43194 | 0,
} as const

/** Positions of fields from the start of a record, up to the first of variable size. */
export const RecordAt = {
  totalSize: 0,
  magic: 4,
  bodyCrc: 8,
  queueId: 12,
  flag: 16,
  queueOffset: 20,
  physicalOffset: 28,
  sysFlag: 36,
  bornTimestamp: 40,
  bornHost: 48,
} as const

/** The smallest record: V1, two IPv4 hosts, nothing in it. */
export const minRecordBytes = 91
/** A blank record is its size and its magic. */
export const blankRecordBytes = 8
/** Longest topic that fits V1, whose length byte is signed. */
export const maxTopicBytesV1 = 127
/** Longest topic that RocketMQ puts into a V2; the form has room for more. */
export const maxTopicBytesV2 = 255

const word = 0x1_0000_0000

/** Reads a 64-bit offset, size or time: exact up to 2^53, the nearest number beyond. */
export function readLong(bytes: Uint8Array, at: number): number {
  return readInt(bytes, at) * word + (readInt(bytes, at + 4) >>> 0)
}

export function readInt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** Writes a safe integer as 64 bits, in two halves. */
export function writeLong(into: Uint8Array, at: number, value: number): void {
  writeInt(into, at, Math.floor(value / word))
  writeInt(into, at + 4, value)
}

export function writeInt(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24
  into[at + 1] = value >>> 16
  into[at + 2] = value >>> 8
  into[at + 3] = value
}

/** A record in positions: filled by `layOutRecord`, valid while its bytes are. One may be reused for many. */
export class RecordLayout {
  at = 0
  size = 0
  sysFlag = 0
  bornHostAt = 0
  storeTimestampAt = 0
  storeHostAt = 0
  reconsumeTimesAt = 0
  preparedTransactionOffsetAt = 0
  bodyAt = 0
  bodyLength = 0
  topicAt = 0
  topicLength = 0
  propertiesAt = 0
  propertiesLength = 0
}

/**
 * Finds the parts of the record at `at`, none of which may pass `end`. False when one does, or when
 * the topic's length is negative; a negative length of body or properties counts as none, as in Java. `size` becomes the sum of the parts, which a sound record also states in its first field.
 */
export function layOutRecord(bytes: Uint8Array, at: number, into: { end: number; layout: RecordLayout }): boolean {
  const { end, layout } = into
  if (at < 0 || end > bytes.length || end - at < minRecordBytes) return false
  layout.at = at
  const sysFlag = readInt(bytes, at + RecordAt.sysFlag)
  layout.sysFlag = sysFlag
  layout.bornHostAt = at + RecordAt.bornHost
  layout.storeTimestampAt = layout.bornHostAt + (sysFlag & SysFlag.bornHostV6 ? 20 : 8)
  layout.storeHostAt = layout.storeTimestampAt + 8
  layout.reconsumeTimesAt = layout.storeHostAt + (sysFlag & SysFlag.storeHostV6 ? 20 : 8)
  layout.preparedTransactionOffsetAt = layout.reconsumeTimesAt + 4
  layout.bodyAt = layout.preparedTransactionOffsetAt + 12
  if (layout.bodyAt > end) return false
  layout.bodyLength = Math.max(0, readInt(bytes, layout.bodyAt - 4))
  return layOutTail(bytes, end, layout)
}

function layOutTail(bytes: Uint8Array, end: number, layout: RecordLayout): boolean {
  const topicLengthAt = layout.bodyAt + layout.bodyLength
  const topicLengthBytes = readInt(bytes, layout.at + RecordAt.magic) === RecordMagic.v2 ? 2 : 1
  layout.topicAt = topicLengthAt + topicLengthBytes
  if (layout.topicAt > end) return false
  layout.topicLength = topicLengthBytes === 2 ? readShort(bytes, topicLengthAt) : (bytes[topicLengthAt]! << 24) >> 24
  const propertiesLengthAt = layout.topicAt + layout.topicLength
  layout.propertiesAt = propertiesLengthAt + 2
  if (layout.topicLength < 0 || layout.propertiesAt > end) return false
  layout.propertiesLength = Math.max(0, readShort(bytes, propertiesLengthAt))
  if (layout.propertiesAt + layout.propertiesLength > end) return false
  layout.size = layout.propertiesAt + layout.propertiesLength - layout.at
  return true
}

function readShort(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!
}

/** The topic's text. */
export function topicOf(bytes: Uint8Array, layout: RecordLayout): string {
  return utf8(bytes, layout.topicAt, layout.topicAt + layout.topicLength)
}

/** Whether the body is what its CRC says. An empty body is never wrong. */
export function bodyCrcMatches(bytes: Uint8Array, layout: RecordLayout): boolean {
  if (layout.bodyLength === 0) return true
  const stored = readInt(bytes, layout.at + RecordAt.bodyCrc)
  return bodyCrc(bytes, layout.bodyAt, layout.bodyAt + layout.bodyLength) === stored
}
