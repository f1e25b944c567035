import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import { unitBytes } from '../consume-queue/unit.ts'

/** Units of a queue's files in memory: `count` of them from `first` on. */
export interface UnitWindow {
  readonly first: number
  readonly count: number
  readonly bytes: Buffer
  /** Of the queue, when it was read. */
  readonly life: number
}

const windowUnits = 800
/** A megabyte in all. */
const maxWindows = 64

/** The units that were read last of the queues which are read from their files: a consumer goes on where it was. */
export class UnitWindows {
  private readonly windows = new Map<ConsumeQueue, UnitWindow>()

  /** The window that holds `offset` and `count` units from it on, or as many as the queue's file has. */
  find(queue: ConsumeQueue, offset: number, count: number): UnitWindow | undefined {
    const window = this.windows.get(queue)
    if (window === undefined || window.life !== queue.life || offset < window.first) return undefined
    const end = Math.min(offset + count, queue.maxOffset)
    return end <= window.first + window.count ? window : undefined
  }

  /** Reads the units from `offset` on, in memory or through the pool; undefined when there are none. Throws DiskError. */
  async load(queue: ConsumeQueue, offset: number): Promise<UnitWindow | undefined> {
    const bytes = Buffer.allocUnsafeSlow(windowUnits * unitBytes)
    const { life } = queue
    const count = await queue.read(offset, bytes, windowUnits)
    if (count === 0 || queue.life !== life) return undefined
    const window = { first: offset, count, bytes, life }
    this.windows.delete(queue)
    if (this.windows.size >= maxWindows)
      for (const [oldest] of this.windows) {
        this.windows.delete(oldest)
        break
      }
    this.windows.set(queue, window)
    return window
  }
}
