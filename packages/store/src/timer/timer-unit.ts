/** Bytes of a unit of the timer log (store.md 7.2). */
export const timerUnitBytes = 52
/** Bytes that end a file which has no room for another unit. */
export const timerBlankBytes = 16
const blankMagic = 0xcbd43194 | 0

/** Bits of a unit's magic. */
export const TimerMagic = { plain: 1, roll: 2, delete: 4 } as const

/** One timer as it stands in the timer log. */
export interface TimerUnit {
  /** Position of the unit before it in its slot; -1: none. */
  previous: number
  /** Bits of `TimerMagic`. */
  magic: number
  /** When it was put there, rounded down to the precision. */
  writtenAtMs: number
  /** The time of its slot. */
  slotMs: number
  /** Its message in the commit log. */
  physicalOffset: number
  size: number
  /** Java's hash of the topic where it goes. */
  topicHash: number
  /**
   * Milliseconds from the beginning of the slot to its delivery. It stands in bytes which RocketMQ reserves: writes as 0 and
   * does not read. 0: at the end of the slot, as RocketMQ delivers.
   */
  withinMs: number
}

const high = 0x1_0000_0000

/** A 64-bit integer of which 53 bits matter. */
export const readLongAt = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * high + bytes.readUInt32BE(at + 4)

/** The opposite of `readLongAt`. */
export function writeLongAt(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / high), at)
  bytes.writeUInt32BE(value - Math.floor(value / high) * high, at + 4)
}

/**
 * Writes a unit: size i32, previous i64, magic i32, writtenAtMs i64, delay i32, physicalOffset i64, size i32, topicHash i32,
 * withinMs i64.
 */
export function writeTimerUnit(unit: TimerUnit, bytes: Buffer, at: number): void {
  bytes.writeInt32BE(timerUnitBytes, at)
  writeLongAt(bytes, unit.previous, at + 4)
  bytes.writeInt32BE(unit.magic, at + 12)
  writeLongAt(bytes, unit.writtenAtMs, at + 16)
  bytes.writeInt32BE(unit.slotMs - unit.writtenAtMs, at + 24)
  writeLongAt(bytes, unit.physicalOffset, at + 28)
  bytes.writeInt32BE(unit.size, at + 36)
  bytes.writeInt32BE(unit.topicHash, at + 40)
  writeLongAt(bytes, unit.withinMs, at + 44)
}

/** The unit at `at`; undefined where none is, or one that says what nobody writes: a part of it is damaged. */
export function readTimerUnit(bytes: Buffer, at: number): TimerUnit | undefined {
  if (at + timerUnitBytes > bytes.length || bytes.readInt32BE(at) !== timerUnitBytes) return undefined
  const writtenAtMs = readLongAt(bytes, at + 16)
  const unit = {
    previous: readLongAt(bytes, at + 4),
    magic: bytes.readInt32BE(at + 12),
    writtenAtMs,
    slotMs: writtenAtMs + bytes.readInt32BE(at + 24),
    physicalOffset: readLongAt(bytes, at + 28),
    size: bytes.readInt32BE(at + 36),
    topicHash: bytes.readInt32BE(at + 40),
    withinMs: readLongAt(bytes, at + 44),
  }
  return isPossible(unit) ? unit : undefined
}

/** Above what stands in `withinMs`: a time within a slot, -1, or a mark. */
const maxWithinMs = 2 ** 41

function isPossible({ previous, magic, physicalOffset, size, withinMs }: TimerUnit): boolean {
  if (magic <= 0 || magic > 15 || size <= 0) return false
  if (previous < -1 || physicalOffset < 0 || withinMs < -1 || withinMs > maxWithinMs) return false
  return Number.isSafeInteger(previous) && Number.isSafeInteger(physicalOffset)
}

/** Ends a file of which `left` bytes are left. */
export function writeTimerBlank(bytes: Buffer, at: number, left: number): void {
  bytes.writeInt32BE(left, at)
  writeLongAt(bytes, 0, at + 4)
  bytes.writeInt32BE(blankMagic, at + 12)
}

/** Whether a file ends at `at`. */
export const isTimerBlank = (bytes: Buffer, at: number): boolean =>
  at + timerBlankBytes <= bytes.length && bytes.readInt32BE(at + 12) === blankMagic
