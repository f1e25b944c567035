import { layOutRecord, minRecordBytes, type RecordLayout, readInt } from '@skua-mq/protocol'

/** What the record at `at` says of its size. In what the store has read it is that of its queue's unit: whatever else is damaged, there the next one begins. */
export const statedSize = (bytes: Uint8Array, at: number): number => readInt(bytes, at)

/**
 * Lays out the record at `at`; false where its parts are together not as long as it says: a length that is damaged would take bytes of
 * its neighbour, or hide it.
 */
export function isSound(bytes: Uint8Array, at: number, layout: RecordLayout): boolean {
  if (bytes.length - at < minRecordBytes) return false
  const size = statedSize(bytes, at)
  return size >= minRecordBytes && layOutRecord(bytes, at, { end: at + size, layout }) && layout.size === size
}
