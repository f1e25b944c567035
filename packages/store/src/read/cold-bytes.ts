/** Copies that are kept for further reads, and what one of them holds at most: 8 MiB in all. */
const maxKept = 32
const keptBytes = 256 * 1024

/** Bytes of a cold answer, free again when nobody pins them. */
export interface ColdBytes {
  pins: number
  readonly bytes: Buffer
}

/**
 * Buffers for answers that were read from disk. A fresh buffer for each costs a fifth of a cold pull in garbage
 * collection, because memory outside of the heap makes the collector run early.
 */
export class ColdPool {
  private readonly kept: ColdBytes[] = []

  /** A buffer of at least `length` bytes, pinned once. */
  take(length: number): ColdBytes {
    for (const cold of this.kept) {
      if (cold.pins > 0 || cold.bytes.length < length) continue
      cold.pins = 1
      return cold
    }
    if (length > keptBytes || this.kept.length >= maxKept) return { pins: 1, bytes: Buffer.allocUnsafeSlow(length) }
    const cold = { pins: 1, bytes: Buffer.allocUnsafeSlow(roomFor(length)) }
    this.kept.push(cold)
    return cold
  }
}

/** The next power of two, so that buffers fit more than the answer they were made for. */
function roomFor(length: number): number {
  return Math.min(keptBytes, 2 ** Math.ceil(Math.log2(Math.max(4096, length))))
}
