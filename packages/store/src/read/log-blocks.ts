import { assert } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'

/** A piece of the log's files in memory: `bytes[0, length)` are its bytes from `base` on. */
export interface LogBlock {
  readonly base: number
  readonly bytes: Buffer
  readonly length: number
  /** Readers that look into it or send from it; the buffer is not used again before they are done. */
  pins: number
}

/** A read under way, and how many wait for it: its block is pinned for each of them before anybody else runs. */
interface Loading {
  waiters: number
  done: Promise<LogBlock | undefined>
}

/**
 * One read serves the neighbours: messages of different queues lie side by side, so that a pull which reads only its own
 * reads most of the bytes between them as well (300 KB for 38 KB wanted, with eight queues).
 */
const blockBytes = 256 * 1024

/** Bytes of the log's files that were read lately, at most `limitBytes` unless more are pinned at once. */
export class LogBlocks {
  private readonly log: CommitLog
  private readonly limit: number
  /** The least recently used first. */
  private readonly blocks = new Map<number, LogBlock>()
  private readonly loading = new Map<number, Loading>()
  private readonly spare: LogBlock[] = []
  /** The most recently used one: neighbours in an answer mostly lie in the same. */
  private newest: LogBlock | undefined

  constructor(log: CommitLog, limitBytes: number) {
    this.log = log
    this.limit = Math.max(1, Math.floor(limitBytes / blockBytes))
  }

  /** Where the block begins that holds an offset. Blocks do not cross files. */
  baseOf(offset: number): number {
    const inFile = offset % this.log.segments.size
    return offset - (inFile % blockBytes)
  }

  /** Where the block ends at most that begins at `base`. */
  endOf(base: number): number {
    const { size } = this.log.segments
    return Math.min(base + blockBytes, base - (base % size) + size)
  }

  /** The block at `base`, when it is in memory with its bytes up to `end`. */
  find(base: number, end: number): LogBlock | undefined {
    const block = this.newest?.base === base ? this.newest : this.blocks.get(base)
    if (block === undefined || base + block.length < end || end <= this.log.minOffset) return undefined
    return block
  }

  /**
   * The block at `base` with its bytes up to `end`, read through the pool where needed, and pinned for the caller.
   * Undefined when the log has no such bytes any more. Throws DiskError.
   */
  async hold(base: number, end: number): Promise<LogBlock | undefined> {
    for (;;) {
      const known = this.find(base, end)
      if (known !== undefined) {
        known.pins++
        return known
      }
      const others = this.loading.get(base)
      if (others !== undefined) others.waiters++
      const block = await (others ?? this.begin(base)).done
      if (block !== undefined && base + block.length >= end) return block
      if (block !== undefined) block.pins--
      // What others asked for may end before what is wanted here: the log has grown since.
      if (others === undefined) return undefined
    }
  }

  /** A block was of use: it stays longer. */
  touch(block: LogBlock): void {
    if (block === this.newest || this.blocks.get(block.base) !== block) return
    this.newest = block
    this.blocks.delete(block.base)
    this.blocks.set(block.base, block)
  }

  private begin(base: number): Loading {
    const loading: Loading = { waiters: 1, done: Promise.resolve(undefined) }
    this.loading.set(base, loading)
    loading.done = this.read(base, loading)
    return loading
  }

  private async read(base: number, loading: Loading): Promise<LogBlock | undefined> {
    const { segments, written } = this.log
    const segment = segments.find(base)
    const length = Math.min(this.endOf(base), written) - base
    try {
      if (segment === undefined || length <= 0) return undefined
      const reused = this.spare.pop()
      assert(reused === undefined || reused.pins === 0, 'nobody reads from a block that is filled anew')
      const bytes = reused?.bytes ?? Buffer.allocUnsafeSlow(blockBytes)
      const handle = segments.acquire(segment)
      try {
        const got = await handle.file.read(bytes, 0, length, base - segment.base)
        const block = { base, bytes, length: got, pins: loading.waiters }
        this.keep(block)
        return block
      } finally {
        segments.release(handle)
      }
    } finally {
      this.loading.delete(base)
    }
  }

  private keep(block: LogBlock): void {
    this.drop(block.base)
    for (const [base, { pins }] of this.blocks) {
      if (this.blocks.size < this.limit) break
      if (pins === 0) this.drop(base)
    }
    this.blocks.set(block.base, block)
  }

  private drop(base: number): void {
    const block = this.blocks.get(base)
    if (block === undefined) return
    this.blocks.delete(base)
    if (block === this.newest) this.newest = undefined
    // Whoever still has it pinned keeps the buffer.
    if (block.pins === 0 && this.spare.length < 2) this.spare.push(block)
  }
}
