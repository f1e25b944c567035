import type { MessageQueue } from '@skua-mq/protocol'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { QueueMap } from '../queue.ts'
import type { QueueLocks } from './locks.ts'
import type { Offsets } from './offset-store/offsets.ts'
import { ProcessQueue } from './process-queue.ts'
import type { Ownership } from './rebalance.ts'
import { type QueueEnds, type StartRules, startOffset } from './start-offset.ts'
import type { Subscriptions } from './subscriptions.ts'

/** A queue that was not pulled for so long is given up and taken anew: its loop must have died. */
const pullExpiredMs = 120_000

export type Process = ProcessQueue<ReceivedMessage<unknown>>

export interface OwnedQueuesParts {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly offsets: Offsets
  readonly ends: QueueEnds
  readonly startRules: () => StartRules
  readonly subscriptions: Subscriptions
  /** Orderly consumption only. */
  readonly locks: QueueLocks | undefined
  readonly emit: EmitEvent
  /** A queue is ours: begin to pull it. */
  taken(queue: MessageQueue, process: Process, offset: number): void
  /** No more work on it; false when a batch is still running and the queue must be kept for now. */
  released(queue: MessageQueue, process: Process): Promise<boolean>
  /** The number of owned queues of a topic changed. */
  changed?(topic: string, queues: { all: readonly MessageQueue[]; own: readonly MessageQueue[] }): void
}

/** The queues that this member owns. Only rebalance adds to it (client.md 8). */
export class OwnedQueues implements Ownership {
  readonly table = new QueueMap<Process>()
  private readonly parts: OwnedQueuesParts
  private stopped = false

  constructor(parts: OwnedQueuesParts) {
    this.parts = parts
  }

  topics(): string[] {
    return this.parts.subscriptions.topics()
  }

  get(queue: MessageQueue): Process | undefined {
    return this.table.get(queue)
  }

  ofTopic(topic: string): MessageQueue[] {
    return [...this.table.queues()].filter(queue => queue.topic === topic)
  }

  async update(
    topic: string,
    own: readonly MessageQueue[],
    all: readonly MessageQueue[],
  ): Promise<{ changed: boolean; complete: boolean }> {
    const before = this.ofTopic(topic)
    const wanted = new QueueMap<true>()
    for (const queue of own) wanted.set(queue, true)
    let complete = true
    let changed = false
    const { clock } = this.parts.instance
    const now = clock.monotonic()
    for (const queue of before) {
      const process = this.table.get(queue)!
      const alive = !process.dropped && (clock.leaps === true || now - process.lastPullAtMs <= pullExpiredMs)
      if (wanted.has(queue) && alive) continue
      if (await this.release(queue)) changed = true
      else complete = false
    }
    const taken = await this.take(own.filter(queue => !this.table.has(queue)))
    if (taken.length > 0) changed = true
    if (changed) await this.announce(topic, all)
    for (const { queue, process, offset } of taken) if (!process.dropped) this.parts.taken(queue, process, offset)
    return { changed, complete: complete && own.every(queue => this.table.has(queue)) }
  }

  /** Ends all work on a queue and writes its offset down. False when a running batch must be waited for. */
  async release(queue: MessageQueue): Promise<boolean> {
    const process = this.table.get(queue)
    if (process === undefined) return true
    process.dropped = true
    const free = await this.parts.released(queue, process)
    await this.persist(queue)
    if (!free) {
      process.tryUnlockTimes++
      return false
    }
    this.table.delete(queue)
    this.parts.offsets.forget(queue)
    await this.parts.locks?.unlock([queue])
    return true
  }

  /** The queue goes on with another process: one that is dropped would be given up in the next round, and begun anew. */
  replace(queue: MessageQueue, process: Process): void {
    if (this.table.has(queue)) this.table.set(queue, process)
  }

  /** Forgets a queue whose offset was moved; the next round takes it anew. */
  async discard(queue: MessageQueue): Promise<void> {
    await this.persist(queue)
    // One that was taken meanwhile began at the offset from before.
    const process = this.table.get(queue)
    if (process !== undefined) process.dropped = true
    this.table.delete(queue)
    this.parts.offsets.forget(queue)
  }

  /** No queue is taken any more. */
  stop(): void {
    this.stopped = true
  }

  async persistAll(): Promise<void> {
    try {
      await this.parts.offsets.persist(this.table.queues())
    } catch (error) {
      this.parts.emit('offsetCommitFailed', { group: this.parts.group, error })
    }
  }

  private async persist(queue: MessageQueue): Promise<void> {
    try {
      await this.parts.offsets.persistOne(queue)
    } catch (error) {
      this.parts.emit('offsetCommitFailed', { group: this.parts.group, error })
    }
  }

  private async take(queues: readonly MessageQueue[]): Promise<Taken[]> {
    const candidates = queues.map(queue => ({
      queue,
      process: new ProcessQueue(this.parts.instance.clock.monotonic()) as Process,
    }))
    const { locks } = this.parts
    if (locks !== undefined) await locks.lockAll(candidates.map(({ queue, process }) => [queue, process]))
    const ready = locks === undefined ? candidates : candidates.filter(({ process }) => process.locked)
    const found = await Promise.all(ready.map(({ queue, process }) => this.begin(queue, process)))
    return found.filter(taken => taken !== undefined)
  }

  /** Undefined when the start offset cannot be told now: another round tries again. */
  private async begin(queue: MessageQueue, process: Process): Promise<Taken | undefined> {
    this.parts.offsets.forget(queue)
    try {
      const offset = await this.startOffset(queue)
      if (this.stopped) return undefined
      this.table.set(queue, process)
      return { queue, process, offset }
    } catch (error) {
      this.parts.emit('rebalanceFailed', { group: this.parts.group, topic: queue.topic, error })
      return undefined
    }
  }

  /** Where the group stands, else where it shall begin. */
  async startOffset(queue: MessageQueue): Promise<number> {
    const stored = await this.parts.offsets.readStored(queue)
    if (stored !== undefined) return stored
    return startOffset(queue, this.parts.startRules(), this.parts.ends)
  }

  /** The brokers must know the new version of the subscription before the next pull. */
  private async announce(topic: string, all: readonly MessageQueue[]): Promise<void> {
    const { subscriptions, instance } = this.parts
    subscriptions.touch(topic, instance.clock.now())
    this.parts.changed?.(topic, { all, own: this.ofTopic(topic) })
    await instance.heartbeats.beat()
  }
}

interface Taken {
  readonly queue: MessageQueue
  readonly process: Process
  readonly offset: number
}
