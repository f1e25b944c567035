import type { MessageQueue } from '@skua-mq/protocol'
import { delay, every, type Timer } from '@skua-mq/runtime'
import type { ReceivedMessage } from '../message/received.ts'
import type { DispatchParts } from './concurrent.ts'
import type { RunOutcome } from './handler.ts'
import { holdsLock, type QueueLocks } from './locks.ts'
import type { Process } from './owned-queues.ts'
import { verdictOf } from './verdicts.ts'

const lockPeriodMs = 20_000
const lockAgainMs = 10
const refusedMs = 3_000
/** How long a queue that is given up waits for its running batch. */
const releaseWaitMs = 1_000
/** A queue that had the floor for so long in a row yields. */
const maxRowMs = 60_000

type Batch = readonly ReceivedMessage<unknown>[]

/** Hands messages to the handler one batch of a queue at a time, in their order, under the broker's lock (client.md 7). */
export class OrderlyDispatch {
  private readonly parts: DispatchParts
  private readonly locks: QueueLocks
  private readonly loops = new Map<Process, Promise<void>>()
  /** The batch that runs now. */
  private readonly batches = new Map<Process, Promise<unknown>>()
  private timer: Timer | undefined

  constructor(parts: DispatchParts, locks: QueueLocks) {
    this.parts = parts
    this.locks = locks
  }

  start(owned: () => Iterable<[MessageQueue, Process]>): void {
    if (!this.clustering) return
    const live = () => [...owned()].filter(([, process]) => !process.dropped)
    this.timer = every(this.parts.instance.clock, lockPeriodMs, () => this.locks.lockAll(live()))
  }

  submit(queue: MessageQueue, process: Process): void {
    if (this.loops.has(process)) return
    const loop = this.loop(queue, process).finally(() => {
      this.loops.delete(process)
      // Messages that came while the loop was ending would wait for the next pull otherwise.
      if (process.head !== undefined && this.going(process)) this.submit(queue, process)
    })
    this.loops.set(process, loop)
  }

  /** Waits a moment for the running batch; false when it goes on, and the lock must be kept. */
  async released(_queue: MessageQueue, process: Process): Promise<boolean> {
    const batch = this.batches.get(process)
    if (batch === undefined) return true
    const over = new AbortController()
    const late = delay(this.parts.instance.clock, releaseWaitMs, over.signal).then(
      () => false,
      () => true,
    )
    const free = await Promise.race([batch.then(() => true), late])
    over.abort()
    return free
  }

  stop(): void {
    this.timer?.cancel()
  }

  async idle(): Promise<void> {
    while (this.batches.size > 0) await Promise.allSettled(this.batches.values())
  }

  private get clustering(): boolean {
    return this.parts.settings.messageModel === 'CLUSTERING'
  }

  private going(process: Process): boolean {
    return !process.dropped && !this.parts.signal.aborted
  }

  private async loop(queue: MessageQueue, process: Process): Promise<void> {
    const { clock } = this.parts.instance
    let rowBegan = clock.monotonic()
    while (this.going(process)) {
      if (this.clustering && !holdsLock(process, clock)) {
        await this.pause((await this.locks.lock(queue, process)) ? lockAgainMs : refusedMs)
        continue
      }
      if (clock.monotonic() - rowBegan > maxRowMs) {
        await this.pause(lockAgainMs)
        rowBegan = clock.monotonic()
      }
      const again = await this.next(queue, process)
      if (again === undefined) return
      if (again > 0) await this.pause(again)
    }
  }

  /** One batch. Returns the pause before the next one; undefined when there is none. */
  private async next(queue: MessageQueue, process: Process): Promise<number | undefined> {
    await this.parts.slots.take()
    try {
      if (!this.going(process)) return undefined
      const batch = process.take(this.parts.settings.consumeMessageBatchMaxSize)
      if (batch.length === 0) return undefined
      process.lastConsumeAtMs = this.parts.instance.clock.monotonic()
      const run = this.parts.run.run(queue, batch).then(outcome => this.settle(queue, process, { batch, outcome }))
      this.batches.set(process, run)
      return await run
    } finally {
      this.batches.delete(process)
      this.parts.slots.give()
    }
  }

  private async settle(
    queue: MessageQueue,
    process: Process,
    ran: { batch: Batch; outcome: RunOutcome },
  ): Promise<number> {
    const { context } = ran.outcome
    const refused = ran.batch.map(verdictOf).find(verdict => verdict?.said === 'nack')
    const status =
      refused === undefined || ran.outcome.status === 'ABANDONED'
        ? ran.outcome.status
        : 'SUSPEND_CURRENT_QUEUE_A_MOMENT'
    const wishMs = refused?.said === 'nack' ? refused.delayMs : undefined
    const suspendMs = Math.min(30_000, Math.max(10, wishMs ?? context.suspendCurrentQueueTimeMillis))
    switch (status) {
      case 'ABANDONED':
        process.putBack()
        return 0
      case 'ROLLBACK':
        process.putBack()
        return suspendMs
      case 'SUCCESS':
      case 'CONSUME_SUCCESS':
        if (context.autoCommit) this.commit(queue, process)
        return 0
      case 'COMMIT':
        this.commit(queue, process)
        return 0
      default:
        if (await this.exhausted(ran.batch)) {
          this.commit(queue, process)
          return 0
        }
        process.putBack()
        return suspendMs
    }
  }

  private commit(queue: MessageQueue, process: Process): void {
    const offset = process.commit()
    // Also of a dropped queue: its offset is written down after the running batch is over.
    if (offset !== undefined) this.parts.offsets.update(queue, offset)
  }

  /** Counts the try. True when all messages were tried often enough, and the broker made dead letters of them. */
  private async exhausted(batch: Batch): Promise<boolean> {
    const max = this.maxReconsumeTimes
    let all = true
    for (const message of batch) {
      const given =
        message.reconsumeTimes >= max && (await this.parts.sendBack.asMessage(message, message.reconsumeTimes))
      if (given) continue
      message.reconsumeTimes++
      all = false
    }
    return all
  }

  private get maxReconsumeTimes(): number {
    const { maxReconsumeTimes } = this.parts.settings
    return maxReconsumeTimes === -1 ? 0x7fff_ffff : maxReconsumeTimes
  }

  private async pause(ms: number): Promise<void> {
    try {
      await delay(this.parts.instance.clock, ms, this.parts.signal)
    } catch {
      // The loop looks whether it goes on.
    }
  }
}
