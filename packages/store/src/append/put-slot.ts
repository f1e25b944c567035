import type { Chunk } from '../commit-log/log-ring.ts'
import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import { type AppendWaiter, PutResult } from '../put.ts'

const noWaiter: AppendWaiter = { stored: () => {} }
const noOffsets: readonly number[] = []

/** One append between its arrival and its answer. Slots are pooled, so that an append allocates nothing. */
export class PutSlot {
  readonly result = new PutResult()
  waiter: AppendWaiter = noWaiter
  queue: ConsumeQueue | undefined = undefined
  /** Where its first record lies in memory, until the turn is written. */
  chunk: Chunk | undefined = undefined
  at = 0
  /** Its records are this and the next ones, `result.count` of them, of the turn's. */
  firstRecord = 0
  sysFlag = 0
  hasQueueEntry = true
  /** End of its last record in the log. */
  end = 0
  /** Waits for an fdatasync; for a slave. */
  needsSync = false
  needsSlave = false
  /** Monotonic milliseconds at which waiting for the fdatasync, or for the slave, is given up. */
  syncDeadline = 0
  slaveDeadline = 0
  /** When the write of its turn had returned. */
  writtenAtMs = 0

  /** Tells the waiter; the slot can be used again afterwards. */
  answer(): void {
    const waiter = this.waiter
    this.waiter = noWaiter
    waiter.stored(this.result)
  }
}

/** Spare slots, at most `limit`. */
export class SlotPool {
  private readonly spare: PutSlot[] = []
  private readonly limit: number

  constructor(limit = 16_384) {
    this.limit = limit
  }

  take(): PutSlot {
    return this.spare.pop() ?? new PutSlot()
  }

  give(slot: PutSlot): void {
    slot.queue = undefined
    slot.chunk = undefined
    slot.result.batchOffsets = noOffsets
    slot.result.writeMs = slot.result.syncMs = slot.result.slaveMs = 0
    if (this.spare.length < this.limit) this.spare.push(slot)
  }
}
