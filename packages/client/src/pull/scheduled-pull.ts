import type { MessageQueue } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { Slots } from '../consume/slots.ts'
import type { StartOptions } from '../instance/wait-for-broker.ts'
import { bounded, clientSettings } from '../options.ts'
import { QueueMap } from '../queue.ts'
import type { PullConsumerOptions } from './options.ts'
import { PullConsumer } from './pull-consumer.ts'

const defaultNextDelayMs = 200

/** What a task of `ScheduledPull` may know and set. */
export interface ScheduledPullContext {
  readonly consumer: PullConsumer
  /** Aborted when the queue is another member's, or the service closes. */
  readonly signal: AbortSignal
  /** When this queue's task runs again, ms after it has ended. Default 200. */
  pullNextDelayTimeMillis: number
}

/** Called for each queue that is ours, never twice at a time for one queue; it pulls and commits by itself. */
export type ScheduledPullTask = (queue: MessageQueue, context: ScheduledPullContext) => unknown

/** What `ScheduledPull` takes, beside the options of a pull consumer. */
export interface ScheduledPullOptions extends PullConsumerOptions {
  /** Tasks that run at a time. Default 20. */
  readonly pullThreadNums?: number | undefined
}

/** Runs a task for each queue that is this member's share, again and again; the task says when it wants to run next. */
export class ScheduledPull {
  readonly consumer: PullConsumer
  private readonly options: ScheduledPullOptions
  private readonly slots: Slots
  private readonly running = new QueueMap<AbortController>()
  /** The last loop of each queue, until it has ended. */
  private readonly loops = new QueueMap<Promise<void>>()
  private isClosing = false
  private readonly failed = new Set<(queue: MessageQueue, error: unknown) => void>()

  constructor(options: ScheduledPullOptions) {
    const { pullThreadNums = 20, ...rest } = options
    this.options = options
    this.consumer = new PullConsumer(rest)
    this.slots = new Slots(bounded('pullThreadNums', pullThreadNums, { min: 1, max: 1_000 }))
  }

  /** A task that throws runs again after the default delay. */
  registerPullTask(topic: string, task: ScheduledPullTask): this {
    this.consumer.registerMessageQueueListener(topic, (_topic, { own }) => this.follow(topic, own, task))
    return this
  }

  /** What a task threw. */
  onFailure(listener: (queue: MessageQueue, error: unknown) => void): () => void {
    this.failed.add(listener)
    return () => this.failed.delete(listener)
  }

  start(options: StartOptions = {}): Promise<void> {
    return this.consumer.start(options)
  }

  /** Waits for running tasks, then closes the consumer. */
  async close(): Promise<void> {
    this.isClosing = true
    for (const stop of this.running.values()) stop.abort(new Error('the service is closing'))
    this.running.clear()
    await Promise.allSettled(this.loops.values())
    await this.consumer.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private follow(topic: string, own: readonly MessageQueue[], task: ScheduledPullTask): void {
    if (this.isClosing) return
    const wanted = new QueueMap<true>()
    for (const queue of own) wanted.set(queue, true)
    for (const [queue, stop] of [...this.running]) {
      if (queue.topic !== topic || wanted.has(queue)) continue
      stop.abort(new Error('the queue is another member’s now'))
      this.running.delete(queue)
    }
    for (const queue of own) {
      if (this.running.has(queue)) continue
      const stop = new AbortController()
      this.running.set(queue, stop)
      // A queue that comes back waits for the task that was told to end.
      const before = this.loops.get(queue) ?? Promise.resolve()
      const loop = before.then(() => this.loop(queue, task, stop.signal))
      this.loops.set(queue, loop)
      void loop.finally(() => {
        if (this.loops.get(queue) === loop) this.loops.delete(queue)
      })
    }
  }

  /** What a listener throws is warned of in the process, as with events; the task runs again all the same. */
  private tell(queue: MessageQueue, error: unknown): void {
    for (const listener of this.failed)
      try {
        listener(queue, error)
      } catch (thrown) {
        process.emitWarning(`a listener of ScheduledPull.onFailure failed: ${thrown}`)
      }
  }

  /** Never rejects. */
  private async loop(queue: MessageQueue, task: ScheduledPullTask, signal: AbortSignal): Promise<void> {
    const { clock } = clientSettings(this.options).runtime
    while (!signal.aborted) {
      const context = { consumer: this.consumer, signal, pullNextDelayTimeMillis: defaultNextDelayMs }
      await this.slots.take()
      try {
        if (!signal.aborted) await task(queue, context)
      } catch (error) {
        if (!signal.aborted) this.tell(queue, error)
      } finally {
        this.slots.give()
      }
      await delay(clock, context.pullNextDelayTimeMillis, signal).catch(() => {})
    }
  }
}
