/** Java's String.hashCode. `seed` is the hash of what stands before the hashed part; 0 for nothing. */
export class JavaHasher {
  seed = 0

  /** Of UTF-8 bytes `[start, end)`. */
  ofBytes(bytes: Buffer, start: number, end: number): number {
    let hash = this.seed
    let at = start
    // Four bytes a round, since each round waits for the hash of the one before: half the time of one byte a round.
    for (const last = end - 4; at <= last; at += 4) {
      const a = bytes[at]!
      const b = bytes[at + 1]!
      const c = bytes[at + 2]!
      const d = bytes[at + 3]!
      if ((a | b | c | d) >= 0x80) break
      hash = (Math.imul(hash, 923_521) + a * 29_791 + b * 961 + c * 31 + d) | 0
    }
    for (; at < end; at++) {
      const byte = bytes[at]!
      // Only ASCII has one UTF-16 unit per byte.
      if (byte >= 0x80) return this.from(hash, bytes.toString('utf8', at, end))
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    return hash
  }

  ofText(text: string): number {
    return this.from(this.seed, text)
  }

  private from(seed: number, text: string): number {
    let hash = seed
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
    return hash
  }
}
