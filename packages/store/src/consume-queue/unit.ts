/**
 * One unit per message, 20 bytes: physicalOffset i64, size i32, tagsCode i64 (store.md 3.1). Fixed size, so
 * queueOffset × 20 is its place. Offsets stay below 2^53 and are handled as two halves; no BigInt on this path.
 */
export const unitBytes = 20
/** The size in a fill unit: a place whose message was never here (store.md 3.3). */
export const fillSize = 0x7fffffff
const word = 0x1_0000_0000

/** Puts a unit at `at`. The tagsCode comes as its signed halves. */
export function putUnit(bytes: Buffer, at: number, unit: UnitFields): void {
  putInt(bytes, at, (unit.physicalOffset / word) | 0)
  putInt(bytes, at + 4, unit.physicalOffset | 0)
  putInt(bytes, at + 8, unit.size)
  putInt(bytes, at + 12, unit.tagsHigh)
  putInt(bytes, at + 16, unit.tagsLow)
}

/** The fields of a unit as they are put. The caller reuses one. */
export interface UnitFields {
  physicalOffset: number
  size: number
  tagsHigh: number
  tagsLow: number
}

export function unitPhysicalOffset(bytes: Buffer, at: number): number {
  return getInt(bytes, at) * word + (getInt(bytes, at + 4) >>> 0)
}

export function unitSize(bytes: Buffer, at: number): number {
  return getInt(bytes, at + 8)
}

/** The low half: what filters compare. */
export function unitTagsHash(bytes: Buffer, at: number): number {
  return getInt(bytes, at + 16)
}

/** The high half: -1 or 0 for a hash, less than -1 for an address in ConsumeQueueExt. */
export function unitTagsHigh(bytes: Buffer, at: number): number {
  return getInt(bytes, at + 12)
}

/** All 64 bits; exact up to 2^53, which holds for hashes and delivery times. */
export function unitTagsCode(bytes: Buffer, at: number): number {
  return getInt(bytes, at + 12) * word + (getInt(bytes, at + 16) >>> 0)
}

/** Whether a unit was ever written; zero bytes were not (store.md 3.4). */
export function isUnit(bytes: Buffer, at: number): boolean {
  return getInt(bytes, at) >= 0 && unitSize(bytes, at) > 0
}

/** Whether a unit stands for a message, and not for a gap. */
export function isMessageUnit(bytes: Buffer, at: number): boolean {
  return isUnit(bytes, at) && unitSize(bytes, at) !== fillSize
}

// Plain stores and shifts: Buffer's readers check bounds and types again for each of five words per message.
function putInt(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

function getInt(bytes: Buffer, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
