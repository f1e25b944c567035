import type { MessageQueue } from '@skua-mq/protocol'
import type { Offsets } from '../consume/offset-store/offsets.ts'
import type { Process } from '../consume/owned-queues.ts'
import { ProcessQueue } from '../consume/process-queue.ts'
import { QueueMap } from '../queue.ts'
import { PullTask, type PullTaskParts } from './pull-task.ts'

/** The queues that are pulled now, by rebalance or by assignment, with their positions. */
export class AssignedQueues {
  private readonly parts: PullTaskParts
  private readonly offsets: Offsets
  private readonly tasks = new QueueMap<PullTask>()
  /** After the last polled message of each queue. */
  private readonly polled = new QueueMap<number>()
  /** The same, of batches that a later poll shows to be processed. */
  private readonly settled = new QueueMap<number>()
  /** Queues of batches that were given since the last `settle`. */
  private readonly given = new QueueMap<true>()
  private isStopped = false

  constructor(parts: PullTaskParts, offsets: Offsets) {
    this.parts = parts
    this.offsets = offsets
  }

  queues(): MessageQueue[] {
    return [...this.tasks.queues()]
  }

  has(queue: MessageQueue): boolean {
    return this.tasks.has(queue)
  }

  /** Nothing happens behind `stopAll`. */
  add(queue: MessageQueue, process: Process, offset: number): void {
    if (this.isStopped) return
    this.tasks.get(queue)?.stop()
    const task = new PullTask(this.parts, { queue, process, offset })
    this.tasks.set(queue, task)
    void task.run()
  }

  /** What was polled stays to be committed by the caller first. */
  remove(queue: MessageQueue): void {
    this.tasks.get(queue)?.stop()
    this.tasks.delete(queue)
    this.polled.delete(queue)
    this.settled.delete(queue)
    this.given.delete(queue)
  }

  /**
   * Goes on from another offset; what was pulled and not polled is dropped. Returns what stands for the queue from now on, undefined
   * when the queue is not ours.
   */
  seek(queue: MessageQueue, offset: number): Process | undefined {
    if (!this.tasks.has(queue)) return undefined
    this.polled.set(queue, offset)
    this.settled.set(queue, offset)
    this.given.delete(queue)
    const process: Process = new ProcessQueue(this.parts.instance.clock.monotonic())
    this.add(queue, process, offset)
    return process
  }

  /** A batch goes to the application: its position may be committed from now on, unless the queue was moved meanwhile. */
  consumed(queue: MessageQueue, process: Process, messages: readonly Parameters<Process['remove']>[0][number][]): void {
    const offset = process.remove(messages)
    if (process.dropped || offset === undefined) return
    this.polled.set(queue, offset)
    this.given.set(queue, true)
  }

  /** The application asks for more: what it got before is done. */
  settle(): void {
    for (const queue of this.given.queues()) this.settled.set(queue, this.polled.get(queue)!)
    this.given.clear()
  }

  /** Moves commit positions to what was polled, or to what is settled of it. */
  commit(what: 'polled' | 'settled', queues: Iterable<MessageQueue> = this.tasks.queues()): void {
    for (const queue of queues) {
      const offset = this[what].get(queue)
      if (offset === undefined) continue
      this.settled.set(queue, offset)
      this.offsets.update(queue, offset)
    }
  }

  stopAll(): void {
    this.isStopped = true
    for (const task of this.tasks.values()) task.stop()
  }
}
