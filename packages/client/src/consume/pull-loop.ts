import { type MessageQueue, ResponseCode } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { type ReceivedMessage, receivedMessages } from '../message/received.ts'
import type { ClientSettings } from '../options.ts'
import type { Process } from './owned-queues.ts'
import type { PullAnswer } from './pull-calls.ts'

/** How long a loop waits where it may not pull, where enough is cached, after a failure, and when the broker is busy. */
export const pausedMs = 1_000
export const heldBackMs = 50
export const failedMs = 3_000
const flowControlledMs = 20

export interface PullLoopParts {
  readonly instance: ClientInstance
  readonly client: ClientSettings
  /** On the wire. */
  readonly group: string
  readonly emit: EmitEvent
}

/** Where a loop begins. */
export interface PullStart {
  readonly queue: MessageQueue
  readonly process: Process
  readonly offset: number
}

/** One step after another for one queue, until the queue is given up (client.md 5). */
export class PullLoop {
  readonly queue: MessageQueue
  readonly process: Process
  /** The offset of the next pull. */
  next: number
  private readonly parts: PullLoopParts
  private readonly ended = new AbortController()

  constructor(parts: PullLoopParts, { queue, process, offset }: PullStart) {
    this.parts = parts
    this.queue = queue
    this.process = process
    this.next = offset
  }

  /** Never rejects. */
  async run(step: () => Promise<void>): Promise<void> {
    while (this.going) {
      // A queue that waits is alive: only a loop that died counts as expired.
      this.process.lastPullAtMs = this.parts.instance.clock.monotonic()
      try {
        await step()
      } catch (error) {
        if (!this.going) return
        this.parts.emit('pullFailed', { group: this.parts.group, queue: this.queue, error })
        await this.pauseAfter(error)
        if (groupUnknown(error)) await this.parts.instance.heartbeats.beat()
      }
    }
  }

  /** Ends a pull that is held at the broker, too. */
  stop(): void {
    this.ended.abort(new ClientError('STATE', 'the queue was given up'))
  }

  get going(): boolean {
    return !this.process.dropped && !this.ended.signal.aborted
  }

  get signal(): AbortSignal {
    return this.ended.signal
  }

  async pause(ms: number): Promise<void> {
    try {
      await delay(this.parts.instance.clock, ms, this.ended.signal)
    } catch {
      // The loop looks at `going` next.
    }
  }

  private async pauseAfter(error: unknown): Promise<void> {
    const code = error instanceof ClientError ? error.responseCode : undefined
    if (code === ResponseCode.flowControl) return this.pause(flowControlledMs)
    // The loop looks at `going` next.
    await this.parts.instance.news.wait(failedMs, this.ended.signal).catch(() => {})
  }

  /** The wanted offset does not exist. */
  offsetIllegal({ nextBeginOffset }: PullAnswer): void {
    const { group, emit } = this.parts
    emit('offsetIllegal', { group, queue: this.queue, from: this.next, to: nextBeginOffset })
  }

  /** What is readable of an answer; an event tells of what is not. */
  messages(answer: PullAnswer): ReceivedMessage[] {
    const { client, group, emit } = this.parts
    return receivedMessages(answer.bytes, this.queue, {
      namespace: client.namespace,
      group,
      compressors: client.compressors,
      offsetDelta: answer.offsetDelta,
      unreadable: (stored, error) =>
        emit('messageUnreadable', { group, queue: this.queue, queueOffset: stored.queueOffset, error }),
    })
  }
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
