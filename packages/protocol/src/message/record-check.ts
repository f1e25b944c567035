import { crc32 } from './crc.ts'
import {
  blankRecordBytes,
  bodyCrcMatches,
  layOutRecord,
  minRecordBytes,
  RecordAt,
  type RecordLayout,
  RecordMagic,
  readInt,
} from './record.ts'

/** What stands at a place of the log (store.md 2.6). */
export type RecordState =
  /** A whole, sound record: the layout describes it. */
  | 'record'
  /** The end of this segment: the layout's size is what remains of it. */
  | 'blank'
  /** No record, a torn one, or one with a wrong CRC: what follows cannot be trusted. */
  | 'stop'
  /** A record whose parts do not add up to the size it states, which is in the layout: Java skips that many bytes at dispatch. */
  | 'badLength'

export interface RecordCheck {
  /** Nothing from here on may be read. */
  end: number
  /** `body` is Java's default in recovery, `property` what `forceVerifyPropCRC` asks for. */
  verify: 'none' | 'body' | 'property'
  /** Filled; may be reused from record to record. */
  layout: RecordLayout
}

/** Checks the record at `at`, V1 or V2. Reads nothing outside of [at, end) and throws on no bytes at all. */
export function checkRecord(bytes: Uint8Array, at: number, check: RecordCheck): RecordState {
  const end = Math.min(check.end, bytes.length)
  if (at < 0 || end - at < blankRecordBytes) return 'stop'
  const { layout } = check
  const size = readInt(bytes, at)
  const magic = readInt(bytes, at + RecordAt.magic)
  if (magic === RecordMagic.blank) {
    layout.at = at
    layout.size = size
    return 'blank'
  }
  if (magic !== RecordMagic.v1 && magic !== RecordMagic.v2) return 'stop'
  if (size < minRecordBytes || size > end - at) return 'stop'
  if (!layOutRecord(bytes, at, { end, layout })) return 'stop'
  if (check.verify === 'body' && !bodyCrcMatches(bytes, layout)) return 'stop'
  if (layout.size !== size) {
    layout.size = size
    return 'badLength'
  }
  return check.verify === 'property' && !propertyCrcMatches(bytes, layout) ? 'stop' : 'record'
}

const crcName = new TextEncoder().encode('__CRC32#\u0001')
const crcDigits = 10
/** Bytes of the CRC property at the very end of a record: name, separator, digits, separator. */
export const crcPropertyBytes = crcName.length + crcDigits + 1

/** Whether the record ends in a CRC property (`enabledAppendPropCRC`, store.md 2.1) which its other bytes agree with. */
export function propertyCrcMatches(bytes: Uint8Array, layout: RecordLayout): boolean {
  if (layout.propertiesLength < crcPropertyBytes) return false
  const crcEnd = layout.at + layout.size - crcPropertyBytes
  if (!crcName.every((byte, i) => bytes[crcEnd + i] === byte)) return false
  let stated = 0
  for (let i = crcDigits - 1; i >= 0; i--) {
    const digit = bytes[crcEnd + crcName.length + i]! - 0x30
    if (digit < 0 || digit > 9) return false
    stated = stated * 10 + digit
  }
  return (crc32(bytes, layout.at, crcEnd) & 0x7fffffff) === stated
}
