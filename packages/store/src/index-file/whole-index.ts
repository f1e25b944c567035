import { entryBytes, headerBytes, type IndexHeader, indexHash, offsetAt, slotBytes } from './format.ts'

/** An index file as it lies on the disk. */
export interface IndexBytes {
  readonly header: IndexHeader
  readonly maxHashSlotNum: number
  readonly maxIndexNum: number
  /** Returns how much there is. Throws DiskError. */
  read(into: Buffer, length: number, at: number): number
}

const entriesAtOnce = 65_536

/** How many bytes `isWhole` reads. */
export const bytesOf = ({ header, maxHashSlotNum }: IndexBytes): number =>
  headerBytes + maxHashSlotNum * slotBytes + header.count * entryBytes

/** Whether the first and the last entry are those that the header speaks of. */
export function hasEnds(file: IndexBytes): boolean {
  const { header, maxIndexNum } = file
  const { count, beginOffset, endOffset } = header
  if (count > maxIndexNum) return false
  if (count <= 1) return true
  return entryOffset(file, 1) === beginOffset && entryOffset(file, count - 1) === endOffset
}

/** Whether entries are in the order of the log, each names the one before it in its slot, and the slots name the last ones. */
export function isWhole(file: IndexBytes): boolean {
  if (!hasEnds(file)) return false
  const { maxHashSlotNum } = file
  const slots = new Int32Array(maxHashSlotNum)
  if (!followEntries(file, slots)) return false
  const bytes = Buffer.allocUnsafe(maxHashSlotNum * slotBytes)
  if (file.read(bytes, bytes.length, headerBytes) < bytes.length) return false
  for (let slot = 0; slot < maxHashSlotNum; slot++) {
    const head = bytes.readInt32BE(slot * slotBytes)
    // A slot that names an entry behind the end counts as empty.
    if ((head <= 0 || head >= file.header.count ? 0 : head) !== slots[slot]) return false
  }
  return true
}

/** Fills the slots; false where an entry does not follow. */
function followEntries(file: IndexBytes, slots: Int32Array): boolean {
  const { count, beginOffset, endOffset } = file.header
  const bytes = Buffer.allocUnsafe(Math.min(entriesAtOnce, count) * entryBytes)
  let before = beginOffset
  for (let number = 1; number < count; ) {
    const wanted = Math.min(entriesAtOnce, count - number)
    if (file.read(bytes, wanted * entryBytes, entryAt(file, number)) < wanted * entryBytes) return false
    for (let at = 0; at < wanted * entryBytes; at += entryBytes, number++) {
      const offset = offsetAt(bytes, at)
      const slot = indexHash(bytes.readInt32BE(at)) % file.maxHashSlotNum
      if (offset < before || offset > endOffset || bytes.readInt32BE(at + 16) !== slots[slot]) return false
      slots[slot] = number
      before = offset
    }
  }
  return true
}

function entryOffset(file: IndexBytes, number: number): number {
  const entry = Buffer.alloc(entryBytes)
  file.read(entry, entryBytes, entryAt(file, number))
  return offsetAt(entry, 0)
}

const entryAt = ({ maxHashSlotNum }: IndexBytes, number: number): number =>
  headerBytes + maxHashSlotNum * slotBytes + number * entryBytes
