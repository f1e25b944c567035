/**
 * One unit of ConsumeQueueExt (store.md 3.7): size i16, tagsCode i64, storeTimestamp i64, length of the bitmap i16, the
 * bitmap. Its address stands in the queue's unit in the place of the tags code, as `address - 2^63`.
 */
export interface ExtUnit {
  /** The tags code as its signed halves. */
  readonly tagsHigh: number
  readonly tagsLow: number
  readonly storedAtMs: number
  /** For which filters the message is, as a Bloom filter of their groups; undefined: nobody looked. */
  readonly bitmap: Uint8Array | undefined
}

export const extHeadBytes = 20
/** What a unit may have at most: its size is an int16. */
export const maxExtUnitBytes = 0x7fff
/** Room behind the last unit of a file; -1 in the place of a size says that the next file follows. */
export const extEndBytes = 4
const endMark = -1
const word = 0x1_0000_0000
const topBit = -0x8000_0000

/** Whether a tags code, given as its halves, is an address: at most -2^31 - 1. */
export function isExtAddress(tagsHigh: number, tagsLow: number): boolean {
  return tagsHigh < -1 || (tagsHigh === -1 && tagsLow >= 0)
}

export function extAddress(tagsHigh: number, tagsLow: number): number {
  return (tagsHigh - topBit) * word + (tagsLow >>> 0)
}

/** The halves of the tags code that stands for an address. */
export function extTagsHigh(address: number): number {
  return Math.floor(address / word) + topBit
}

export function extTagsLow(address: number): number {
  return address | 0
}

export function extUnitBytes(bitmap: Uint8Array | undefined): number {
  return extHeadBytes + (bitmap?.length ?? 0)
}

export function putExtUnit(bytes: Buffer, at: number, unit: ExtUnit): void {
  bytes.writeInt16BE(extUnitBytes(unit.bitmap), at)
  bytes.writeInt32BE(unit.tagsHigh, at + 2)
  bytes.writeInt32BE(unit.tagsLow, at + 6)
  bytes.writeBigInt64BE(BigInt(unit.storedAtMs), at + 10)
  bytes.writeInt16BE(unit.bitmap?.length ?? 0, at + 18)
  if (unit.bitmap !== undefined) bytes.set(unit.bitmap, at + extHeadBytes)
}

export function putExtEnd(bytes: Buffer, at: number): void {
  bytes.writeInt16BE(endMark, at)
}

/** Size of the unit at `at`; 0 where none begins, or where the file ends. */
export function extUnitSize(bytes: Buffer, at: number): number {
  if (at + extHeadBytes > bytes.length) return 0
  const size = bytes.readInt16BE(at)
  return size === extHeadBytes + bytes.readInt16BE(at + 18) ? size : 0
}

/** The unit at `at`; undefined where none begins, or its end lies behind that of `bytes`. */
export function readExtUnit(bytes: Buffer, at: number): ExtUnit | undefined {
  const size = extUnitSize(bytes, at)
  if (size === 0 || at + size > bytes.length) return undefined
  return {
    tagsHigh: bytes.readInt32BE(at + 2),
    tagsLow: bytes.readInt32BE(at + 6),
    storedAtMs: Number(bytes.readBigInt64BE(at + 10)),
    // A copy: what was read is overwritten by the next one.
    bitmap: size === extHeadBytes ? undefined : Uint8Array.from(bytes.subarray(at + extHeadBytes, at + size)),
  }
}
