import { type MessageQueue, matchesTag } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { heldBack } from '../consume/flow.ts'
import type { Process } from '../consume/owned-queues.ts'
import type { PullAnswer, PullCalls } from '../consume/pull-calls.ts'
import type { Subscription } from '../consume/subscriptions.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { receivedMessages } from '../message/received.ts'
import type { ClientSettings } from '../options.ts'
import type { Inbox } from './inbox.ts'
import type { LitePullSettings } from './options.ts'

const pausedMs = 1_000
const heldBackMs = 50
const failedMs = 3_000

export interface PullTaskParts {
  readonly instance: ClientInstance
  readonly client: ClientSettings
  readonly settings: LitePullSettings
  /** On the wire. */
  readonly group: string
  readonly pulls: PullCalls
  readonly inbox: Inbox
  readonly emit: EmitEvent
  paused(queue: MessageQueue): boolean
  subscription(topic: string): Subscription
}

/** The pull loop of one queue: fills the inbox until it is stopped. */
export class PullTask {
  readonly process: Process
  private readonly parts: PullTaskParts
  private readonly queue: MessageQueue
  private readonly ended = new AbortController()
  private next: number

  constructor(parts: PullTaskParts, at: { queue: MessageQueue; process: Process; offset: number }) {
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
        await this.pause(failedMs)
      }
    }
  }

  /** What it pulled and nobody polled is dropped. */
  stop(): void {
    this.process.dropped = true
    this.ended.abort(new Error('the queue was given up'))
    this.parts.inbox.discard(this.process)
  }

  private get going(): boolean {
    return !this.ended.signal.aborted
  }

  private async step(): Promise<void> {
    const { parts, process } = this
    const { settings } = parts
    process.lastPullAtMs = parts.instance.clock.monotonic()
    if (parts.paused(this.queue)) return this.pause(pausedMs)
    if (parts.inbox.size > settings.thresholdForAll) return this.pause(heldBackMs)
    if (heldBack(process, settings.limits) !== undefined) return this.pause(heldBackMs)
    const subscription = parts.subscription(this.queue.topic)
    const answer = await parts.pulls.pull({
      group: parts.group,
      queue: this.queue,
      offset: this.next,
      maxMsgNums: settings.pullBatchSize,
      subscription,
      sendSubscription: true,
      suspendMs: settings.suspendMs,
      timeoutMs: settings.pullTimeoutMs,
      litePull: true,
      signal: this.ended.signal,
    })
    if (this.going) this.take(answer, subscription)
  }

  private take(answer: PullAnswer, { tags }: Subscription): void {
    const { group, emit, client } = this.parts
    if (answer.status === 'OFFSET_ILLEGAL') {
      emit('offsetIllegal', { group, queue: this.queue, from: this.next, to: answer.nextBeginOffset })
    }
    this.next = answer.nextBeginOffset
    const messages = receivedMessages(answer.bytes, this.queue, {
      namespace: client.namespace,
      group,
      compressors: client.compressors,
      offsetDelta: answer.offsetDelta,
      unreadable: (stored, error) =>
        emit('messageUnreadable', { group, queue: this.queue, queueOffset: stored.queueOffset, error }),
    }).filter(message => tags === undefined || matchesTag(tags, message.tag))
    if (messages.length === 0) return
    this.process.put(messages)
    this.parts.inbox.put({ queue: this.queue, process: this.process, messages })
  }

  private async pause(ms: number): Promise<void> {
    await delay(this.parts.instance.clock, ms, this.ended.signal).catch(() => {})
  }
}
