import { assert } from '@skua-mq/runtime'

/** A piece of the newest log in memory: `bytes[0, used)` are the bytes of the log from `base` on. */
export interface Chunk {
  readonly bytes: Buffer
  base: number
  used: number
  /** Readers which send from `bytes`: it is not filled anew before they are done. */
  pins: number
}

/**
 * The newest part of the log in memory, at most `limitBytes` of it. A chunk that falls out while readers still send
 * from it is left to them and a new one is allocated, so eviction never waits.
 */
export class LogRing {
  private readonly chunks: Chunk[] = []
  private readonly spare: Chunk[] = []
  private readonly chunkBytes: number
  private readonly limitBytes: number
  private total = 0

  constructor({ chunkBytes, limitBytes }: { chunkBytes: number; limitBytes: number }) {
    this.chunkBytes = chunkBytes
    this.limitBytes = limitBytes
  }

  get newest(): Chunk | undefined {
    return this.chunks[this.chunks.length - 1]
  }

  /** Oldest offset in memory; undefined when nothing is. */
  get oldestOffset(): number | undefined {
    return this.chunks[0]?.base
  }

  /** The chunk that holds all of `[offset, offset + size)`. */
  find(offset: number, size: number): Chunk | undefined {
    const at = this.indexOf(offset)
    if (at < 0) return undefined
    const chunk = this.chunks[at]!
    return offset + size <= chunk.base + chunk.used ? chunk : undefined
  }

  /** A new chunk at `base` with room for at least `size` bytes. Chunks from `keepFrom` on are not dropped for it. */
  open(base: number, { size, keepFrom }: { size: number; keepFrom: number }): Chunk {
    const capacity = Math.max(size, this.chunkBytes)
    while (this.chunks.length > 0 && this.total + capacity > this.limitBytes) {
      const oldest = this.chunks[0]!
      if (oldest.base + oldest.used > keepFrom) break
      this.chunks.shift()
      this.recycle(oldest)
    }
    const { newest } = this
    assert(newest === undefined || newest.base + newest.used <= base, 'a chunk begins behind the one before')
    const reused = capacity === this.chunkBytes ? this.spare.pop() : undefined
    assert(reused === undefined || reused.pins === 0, 'nobody reads from a chunk that is filled anew')
    const chunk: Chunk = { bytes: reused?.bytes ?? Buffer.allocUnsafeSlow(capacity), base, used: 0, pins: 0 }
    this.chunks.push(chunk)
    this.total += capacity
    return chunk
  }

  /** Calls `visit` for each chunk with bytes at or after `offset`, oldest first. */
  eachFrom(offset: number, visit: (chunk: Chunk) => void): void {
    let at = this.chunks.length
    while (at > 0) {
      const chunk = this.chunks[at - 1]!
      if (chunk.base + chunk.used <= offset) break
      at--
    }
    for (; at < this.chunks.length; at++) visit(this.chunks[at]!)
  }

  /** Forgets everything from `offset` on. */
  cut(offset: number): void {
    while (this.chunks.length > 0) {
      const chunk = this.chunks[this.chunks.length - 1]!
      if (chunk.base < offset) {
        chunk.used = Math.min(chunk.used, offset - chunk.base)
        return
      }
      this.chunks.pop()
      this.recycle(chunk)
    }
  }

  private recycle(chunk: Chunk): void {
    this.total -= chunk.bytes.length
    if (chunk.pins === 0 && chunk.bytes.length === this.chunkBytes && this.spare.length < 2) this.spare.push(chunk)
  }

  private indexOf(offset: number): number {
    let low = 0
    let high = this.chunks.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      if (this.chunks[middle]!.base <= offset) low = middle + 1
      else high = middle - 1
    }
    return high
  }
}
