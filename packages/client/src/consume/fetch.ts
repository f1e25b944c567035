import { type MessageQueue, matchesTag, PropertyName, ResponseCode } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { type ReceivedMessage, receivedMessages } from '../message/received.ts'
import type { ClientSettings } from '../options.ts'
import { backlogSkip } from './backlog.ts'
import { heldBack } from './flow.ts'
import { holdsLock } from './locks.ts'
import type { Offsets } from './offset-store/offsets.ts'
import type { Process } from './owned-queues.ts'
import type { PullAnswer, PullCalls } from './pull-calls.ts'
import type { PushSettings } from './push-options.ts'
import type { QueueOffsets } from './queue-ends.ts'
import type { Subscription, Subscriptions } from './subscriptions.ts'

const pausedMs = 1_000
const heldBackMs = 50
const failedMs = 3_000
const flowControlledMs = 20

export interface FetchParts {
  readonly instance: ClientInstance
  readonly client: ClientSettings
  readonly settings: PushSettings
  /** On the wire. */
  readonly group: string
  readonly subscriptions: Subscriptions
  readonly pulls: PullCalls
  readonly ends: QueueOffsets
  readonly offsets: Offsets
  readonly emit: EmitEvent
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

/** The pull loop of one queue: one pull at a time, until the queue is dropped (client.md 5). */
export class Fetch {
  private readonly parts: FetchParts
  private readonly queue: MessageQueue
  private readonly process: Process
  private readonly ended = new AbortController()
  private next: number
  private lockSeen = false

  constructor(parts: FetchParts, at: { queue: MessageQueue; process: Process; offset: number }) {
    this.parts = parts
    this.queue = at.queue
    this.process = at.process
    this.next = at.offset
  }

  /** Never rejects. */
  async run(): Promise<void> {
    while (this.going) {
      try {
        await this.step()
      } catch (error) {
        if (!this.going) return
        this.parts.emit('pullFailed', { group: this.parts.group, queue: this.queue, error })
        await this.pause(pauseAfter(error))
        if (groupUnknown(error)) await this.parts.instance.heartbeats.beat()
      }
    }
  }

  /** Ends a pull that is held at the broker. */
  stop(): void {
    this.ended.abort(new ClientError('STATE', 'the queue was given up'))
  }

  private get going(): boolean {
    return !this.process.dropped && !this.ended.signal.aborted
  }

  private async step(): Promise<void> {
    const { parts, process } = this
    // A queue that waits is alive: only a loop that died counts as expired.
    process.lastPullAtMs = parts.instance.clock.monotonic()
    if (parts.paused()) return this.pause(pausedMs)
    if (heldBack(process, { ...parts.limits(), span: parts.settings.maxSpan }) !== undefined)
      return this.pause(heldBackMs)
    if (parts.settings.orderly && parts.settings.messageModel === 'CLUSTERING' && !(await this.lockReady())) {
      return this.pause(failedMs)
    }
    const subscription = parts.subscriptions.get(this.queue.topic)
    if (subscription === undefined) return this.pause(failedMs)
    const answer = await this.pull(subscription)
    if (this.going) await this.take(answer, subscription)
  }

  private pull(subscription: Subscription): Promise<PullAnswer> {
    const { settings, offsets, group, pulls } = this.parts
    const committed = settings.messageModel === 'CLUSTERING' ? offsets.inMemory(this.queue) : undefined
    return pulls.pull({
      group,
      queue: this.queue,
      offset: this.next,
      maxMsgNums: settings.pullBatchSize,
      subscription,
      sendSubscription: settings.postSubscriptionWhenPull,
      commitOffset: committed !== undefined && committed > 0 ? committed : undefined,
      suspendMs: settings.suspendMs,
      timeoutMs: settings.pullTimeoutMs,
      signal: this.ended.signal,
    })
  }

  private async take(answer: PullAnswer, subscription: Subscription): Promise<void> {
    if (answer.status === 'OFFSET_ILLEGAL') {
      const { group, emit } = this.parts
      emit('offsetIllegal', { group, queue: this.queue, from: this.next, to: answer.nextBeginOffset })
      return this.parts.illegal(this.queue, this.process, answer.nextBeginOffset)
    }
    if (answer.status !== 'FOUND') {
      this.next = answer.nextBeginOffset
      return this.moveEmpty()
    }
    const messages = this.decode(answer)
    this.parts.pulled(this.queue.topic, {
      count: messages.length,
      costMs: this.parts.instance.clock.monotonic() - this.process.lastPullAtMs,
    })
    const skipped = await this.skip(answer, messages)
    if (!this.going) return
    const wanted = messages.filter(message => message.queueOffset >= skipped && this.matches(message, subscription))
    this.next = Math.max(answer.nextBeginOffset, skipped)
    if (wanted.length === 0) return this.moveEmpty()
    this.process.put(wanted)
    this.parts.fetched(this.queue, this.process, wanted)
    if (this.parts.settings.pullInterval > 0) await this.pause(this.parts.settings.pullInterval)
  }

  /** Nothing is cached, so everything before `next` is done. */
  private moveEmpty(): void {
    if (this.process.count === 0) this.parts.offsets.update(this.queue, this.next, { increaseOnly: true })
  }

  private decode(answer: PullAnswer): ReceivedMessage[] {
    const { client, group, emit } = this.parts
    const messages = receivedMessages(answer.bytes, this.queue, {
      namespace: client.namespace,
      group,
      compressors: client.compressors,
      offsetDelta: answer.offsetDelta,
      unreadable: (stored, error) =>
        emit('messageUnreadable', { group, queue: this.queue, queueOffset: stored.queueOffset, error }),
    })
    for (const { properties } of messages) {
      properties.set(PropertyName.minOffset, String(answer.minOffset))
      properties.set(PropertyName.maxOffset, String(answer.maxOffset))
    }
    return messages
  }

  /** The first offset that is wanted, after a backlog that is not. */
  private async skip(answer: PullAnswer, messages: readonly ReceivedMessage[]): Promise<number> {
    const { settings, instance, group, emit, ends } = this.parts
    const first = messages[0]
    if (first === undefined) return 0
    const { storedAtMs, queueOffset } = first
    const view = { storedAtMs, queueOffset, maxOffset: answer.maxOffset, nowMs: instance.clock.now() }
    const skip = backlogSkip(view, settings)
    if (skip === undefined) return 0
    const to = skip.why === 'count' ? skip.to : await ends.searchOffset(this.queue, skip.sinceMs, this.ended.signal)
    if (to <= queueOffset) return 0
    emit('backlogSkipped', { group, queue: this.queue, from: queueOffset, to, why: skip.why })
    return to
  }

  /** The broker compares hashes only. */
  private matches(message: ReceivedMessage, { tags }: Subscription): boolean {
    return tags === undefined || matchesTag(tags, message.tag)
  }

  /** Orderly: the queue is held; with a lock just won, the offset is read again. */
  private async lockReady(): Promise<boolean> {
    if (!holdsLock(this.process, this.parts.instance.clock.monotonic())) {
      this.lockSeen = false
      return false
    }
    if (!this.lockSeen) {
      this.next = await this.parts.startOffset(this.queue)
      this.lockSeen = true
    }
    return true
  }

  private async pause(ms: number): Promise<void> {
    try {
      await delay(this.parts.instance.clock, ms, this.ended.signal)
    } catch {
      // The loop looks at `going` next.
    }
  }
}

function pauseAfter(error: unknown): number {
  const code = error instanceof ClientError ? error.responseCode : undefined
  return code === ResponseCode.flowControl ? flowControlledMs : failedMs
}

/** The broker was restarted, say, and does not know us (any more). */
function groupUnknown(error: unknown): boolean {
  const { subscriptionNotExist, subscriptionNotLatest, filterDataNotExist, filterDataNotLatest } = ResponseCode
  const codes: (number | undefined)[] = [
    subscriptionNotExist,
    subscriptionNotLatest,
    filterDataNotExist,
    filterDataNotLatest,
  ]
  return error instanceof ClientError && error.responseCode !== undefined && codes.includes(error.responseCode)
}
