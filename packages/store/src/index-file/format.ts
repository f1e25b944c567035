import { readLong, writeLong } from '../record/record-view.ts'

/** Header, slots, entries (store.md 4). */
export const headerBytes = 40
export const slotBytes = 4
/** keyHash int32, physicalOffset int64, seconds since beginTimestamp int32, previous entry of the slot int32. */
export const entryBytes = 20

/** The first 40 bytes of an index file. */
export interface IndexHeader {
  beginAtMs: number
  endAtMs: number
  beginOffset: number
  endOffset: number
  slotsUsed: number
  /** Number of the next entry; starts at 1, so entry 0 is never used. */
  count: number
}

export function readHeader(bytes: Buffer): IndexHeader {
  return {
    beginAtMs: readLong(bytes, 0),
    endAtMs: readLong(bytes, 8),
    beginOffset: readLong(bytes, 16),
    endOffset: readLong(bytes, 24),
    slotsUsed: bytes.readInt32BE(32),
    count: Math.max(1, bytes.readInt32BE(36)),
  }
}

export function writeHeader(bytes: Buffer, header: IndexHeader): void {
  writeLong(bytes, header.beginAtMs, 0)
  writeLong(bytes, header.endAtMs, 8)
  writeLong(bytes, header.beginOffset, 16)
  writeLong(bytes, header.endOffset, 24)
  bytes.writeInt32BE(header.slotsUsed, 32)
  bytes.writeInt32BE(header.count, 36)
}

/** Java takes the absolute value of the key's hash, and 0 for the one which has none. */
export function indexHash(javaHash: number): number {
  const hash = Math.abs(javaHash)
  return hash === 0x8000_0000 ? 0 : hash
}

const word = 0x1_0000_0000

/** The physical offset in the entry at `at`. */
export const offsetAt = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at + 4) * word + bytes.readUInt32BE(at + 8)

/** Local time, 17 digits: the name of an index file. */
export function indexFileName(atMs: number): string {
  const date = new Date(atMs)
  const part = (value: number, digits: number) => String(value).padStart(digits, '0')
  const day = part(date.getFullYear(), 4) + part(date.getMonth() + 1, 2) + part(date.getDate(), 2)
  const time = part(date.getHours(), 2) + part(date.getMinutes(), 2) + part(date.getSeconds(), 2)
  return day + time + part(date.getMilliseconds(), 3)
}
