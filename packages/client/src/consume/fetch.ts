import { type MessageQueue, matchesTag, PropertyName } from '@skua-mq/protocol'
import type { ReceivedMessage } from '../message/received.ts'
import { backlogSkip } from './backlog.ts'
import { heldBack } from './flow.ts'
import { holdsLock } from './locks.ts'
import type { Offsets } from './offset-store/offsets.ts'
import type { Process } from './owned-queues.ts'
import type { PullAnswer, PullCalls } from './pull-calls.ts'
import { failedMs, heldBackMs, PullLoop, type PullLoopParts, type PullStart, pausedMs } from './pull-loop.ts'
import type { PushSettings } from './push-options.ts'
import type { QueueOffsets } from './queue-ends.ts'
import type { Subscription, Subscriptions } from './subscriptions.ts'

export interface FetchParts extends PullLoopParts {
  readonly settings: PushSettings
  readonly subscriptions: Subscriptions
  readonly pulls: PullCalls
  readonly ends: QueueOffsets
  readonly offsets: Offsets
  /** Cache limits per queue as they are now. */
  limits(): { count: number; bytes: number }
  paused(): boolean
  /** Messages are in the process queue. */
  fetched(queue: MessageQueue, process: Process, messages: readonly ReceivedMessage[]): void
  /** The wanted offset does not exist; go on at this one. */
  illegal(queue: MessageQueue, process: Process, nextOffset: number): Promise<void>
  /** Orderly: the offset again, after the lock was won. */
  startOffset(queue: MessageQueue): Promise<number>
  /** For the statistics of operators. */
  pulled(topic: string, pull: { count: number; costMs: number }): void
}

/** Pulls for one queue into its process queue, one pull at a time. */
export class Fetch {
  private readonly parts: FetchParts
  private readonly loop: PullLoop
  private lockSeen = false

  constructor(parts: FetchParts, start: PullStart) {
    this.parts = parts
    this.loop = new PullLoop(parts, start)
  }

  /** Never rejects. */
  run(): Promise<void> {
    return this.loop.run(() => this.step())
  }

  /** Ends a pull that is held at the broker. */
  stop(): void {
    this.loop.stop()
  }

  private async step(): Promise<void> {
    const { parts, loop } = this
    const { settings } = parts
    if (parts.paused()) return loop.pause(pausedMs)
    if (heldBack(loop.process, { ...parts.limits(), span: settings.maxSpan }) !== undefined)
      return loop.pause(heldBackMs)
    if (settings.orderly && settings.messageModel === 'CLUSTERING' && !(await this.lockReady())) {
      return loop.pause(failedMs)
    }
    const subscription = parts.subscriptions.get(loop.queue.topic)
    if (subscription === undefined) return loop.pause(failedMs)
    const answer = await this.pull(subscription)
    if (loop.going) await this.take(answer, subscription)
  }

  private pull(subscription: Subscription): Promise<PullAnswer> {
    const { settings, offsets, group, pulls } = this.parts
    const { queue, next, signal } = this.loop
    const committed = settings.messageModel === 'CLUSTERING' ? offsets.inMemory(queue) : undefined
    return pulls.pull({
      group,
      queue,
      offset: next,
      maxMsgNums: settings.pullBatchSize,
      subscription,
      sendSubscription: settings.postSubscriptionWhenPull,
      commitOffset: committed !== undefined && committed > 0 ? committed : undefined,
      suspendMs: settings.suspendMs,
      timeoutMs: settings.pullTimeoutMs,
      signal,
    })
  }

  private async take(answer: PullAnswer, subscription: Subscription): Promise<void> {
    const { parts, loop } = this
    const { queue, process } = loop
    if (answer.status === 'OFFSET_ILLEGAL') {
      loop.offsetIllegal(answer)
      return parts.illegal(queue, process, answer.nextBeginOffset)
    }
    if (answer.status !== 'FOUND') {
      loop.next = answer.nextBeginOffset
      return this.moveEmpty()
    }
    const messages = this.read(answer)
    const costMs = parts.instance.clock.monotonic() - process.lastPullAtMs
    parts.pulled(queue.topic, { count: messages.length, costMs })
    const skipped = await this.skip(answer, messages)
    if (!loop.going) return
    const wanted = messages.filter(message => message.queueOffset >= skipped && matches(message, subscription))
    loop.next = Math.max(answer.nextBeginOffset, skipped)
    if (wanted.length === 0) return this.moveEmpty()
    process.put(wanted)
    parts.fetched(queue, process, wanted)
    if (parts.settings.pullInterval > 0) await loop.pause(parts.settings.pullInterval)
  }

  /** Nothing is cached, so everything before `next` is done. */
  private moveEmpty(): void {
    const { process, queue, next } = this.loop
    if (process.count === 0) this.parts.offsets.update(queue, next, { increaseOnly: true })
  }

  private read(answer: PullAnswer): ReceivedMessage[] {
    const messages = this.loop.messages(answer)
    for (const { properties } of messages) {
      properties.set(PropertyName.minOffset, String(answer.minOffset))
      properties.set(PropertyName.maxOffset, String(answer.maxOffset))
    }
    return messages
  }

  /** The first offset that is wanted, after a backlog that is not. */
  private async skip(answer: PullAnswer, messages: readonly ReceivedMessage[]): Promise<number> {
    const { settings, instance, group, emit, ends } = this.parts
    const { queue, signal } = this.loop
    const first = messages[0]
    if (first === undefined) return 0
    const { storedAtMs, queueOffset } = first
    const view = { storedAtMs, queueOffset, maxOffset: answer.maxOffset, nowMs: instance.clock.now() }
    const skip = backlogSkip(view, settings)
    if (skip === undefined) return 0
    const to = skip.why === 'count' ? skip.to : await ends.searchOffset(queue, skip.sinceMs, signal)
    if (to <= queueOffset) return 0
    emit('backlogSkipped', { group, queue, from: queueOffset, to, why: skip.why })
    return to
  }

  /** Orderly: the queue is held; with a lock just won, the offset is read again. */
  private async lockReady(): Promise<boolean> {
    if (!holdsLock(this.loop.process, this.parts.instance.clock)) {
      this.lockSeen = false
      return false
    }
    if (!this.lockSeen) {
      this.loop.next = await this.parts.startOffset(this.loop.queue)
      this.lockSeen = true
    }
    return true
  }
}

/** The broker compares hashes only. */
function matches(message: ReceivedMessage, { tags }: Subscription): boolean {
  return tags === undefined || matchesTag(tags, message.tag)
}
