import { assert } from '@skua-mq/runtime'
import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import { unitBytes } from '../consume-queue/unit.ts'

/** Units of a queue's files in memory: `count` of them from `first` on. */
export interface UnitWindow {
  readonly first: number
  readonly count: number
  readonly bytes: Buffer
  /** Of the queue, when it was read. */
  readonly life: number
  /** Reads that look into it; the buffer is not used again before they are done. */
  pins: number
}

const windowUnits = 800
/** A megabyte in all. */
const maxWindows = 64
/** Buffers that nobody uses. */
const maxSpare = 8

/**
 * The units that were read last of the queues which are read from their files: a consumer goes on where it was. Buffers are used again:
 * a fresh one for each window cost a pull with a filter two fifths in garbage collection, since memory outside of the heap makes the
 * collector run early.
 */
export class UnitWindows {
  private readonly windows = new Map<ConsumeQueue, UnitWindow>()
  private readonly spare: Buffer[] = []

  /** The window that holds `offset` and `count` units from it on, or as many as the queue's file has. */
  find(queue: ConsumeQueue, offset: number, count: number): UnitWindow | undefined {
    const window = this.windows.get(queue)
    if (window === undefined || window.life !== queue.life || offset < window.first) return undefined
    const end = Math.min(offset + count, queue.maxOffset)
    return end <= window.first + window.count ? window : undefined
  }

  /**
   * Reads the units from `offset` on, in memory or through the pool, pinned for the caller; undefined when there are none. Throws
   * DiskError.
   */
  async load(queue: ConsumeQueue, offset: number): Promise<UnitWindow | undefined> {
    const bytes = this.spare.pop() ?? Buffer.allocUnsafeSlow(windowUnits * unitBytes)
    const { life } = queue
    let window: UnitWindow | undefined
    try {
      const count = await queue.read(offset, bytes, windowUnits)
      if (count === 0 || queue.life !== life) return undefined
      window = { first: offset, count, bytes, life, pins: 1 }
    } finally {
      if (window === undefined) this.free(bytes)
    }
    this.drop(queue)
    if (this.windows.size >= maxWindows)
      for (const [oldest] of this.windows) {
        this.drop(oldest)
        break
      }
    this.windows.set(queue, window)
    return window
  }

  /** Somebody looks into it no more. */
  release(window: UnitWindow): void {
    assert(window.pins > 0, 'a window that is let go is pinned')
    window.pins--
  }

  private drop(queue: ConsumeQueue): void {
    const window = this.windows.get(queue)
    if (window === undefined) return
    this.windows.delete(queue)
    // Whoever still has it pinned keeps the buffer.
    if (window.pins === 0) this.free(window.bytes)
  }

  private free(bytes: Buffer): void {
    if (this.spare.length < maxSpare) this.spare.push(bytes)
  }
}
