import { type MessageQueue, matchesTag } from '@skua-mq/protocol'
import { heldBack } from '../consume/flow.ts'
import type { Process } from '../consume/owned-queues.ts'
import type { PullAnswer, PullCalls } from '../consume/pull-calls.ts'
import { heldBackMs, PullLoop, type PullLoopParts, type PullStart, pausedMs } from '../consume/pull-loop.ts'
import type { Subscription } from '../consume/subscriptions.ts'
import type { Inbox } from './inbox.ts'
import type { LitePullSettings } from './options.ts'

export interface PullTaskParts extends PullLoopParts {
  readonly settings: LitePullSettings
  readonly pulls: PullCalls
  readonly inbox: Inbox
  paused(queue: MessageQueue): boolean
  subscription(topic: string): Subscription
}

/** Pulls for one queue into the inbox. */
export class PullTask {
  private readonly parts: PullTaskParts
  private readonly loop: PullLoop

  constructor(parts: PullTaskParts, start: PullStart) {
    this.parts = parts
    this.loop = new PullLoop(parts, start)
  }

  get process(): Process {
    return this.loop.process
  }

  /** Never rejects. */
  run(): Promise<void> {
    return this.loop.run(() => this.step())
  }

  /** What it pulled and nobody polled is dropped. */
  stop(): void {
    this.process.dropped = true
    this.loop.stop()
    this.parts.inbox.discard(this.process)
  }

  private async step(): Promise<void> {
    const { parts, loop } = this
    const { settings } = parts
    if (parts.paused(loop.queue)) return loop.pause(pausedMs)
    if (parts.inbox.size > settings.thresholdForAll) return loop.pause(heldBackMs)
    if (heldBack(loop.process, settings.limits) !== undefined) return loop.pause(heldBackMs)
    const subscription = parts.subscription(loop.queue.topic)
    const answer = await parts.pulls.pull({
      group: parts.group,
      queue: loop.queue,
      offset: loop.next,
      maxMsgNums: settings.pullBatchSize,
      subscription,
      sendSubscription: true,
      suspendMs: settings.suspendMs,
      timeoutMs: settings.pullTimeoutMs,
      litePull: true,
      signal: loop.signal,
    })
    if (loop.going) this.take(answer, subscription)
  }

  private take(answer: PullAnswer, { tags }: Subscription): void {
    const { loop } = this
    const { queue, process } = loop
    if (answer.status === 'OFFSET_ILLEGAL') loop.offsetIllegal(answer)
    loop.next = answer.nextBeginOffset
    const messages = loop.messages(answer).filter(message => tags === undefined || matchesTag(tags, message.tag))
    if (messages.length === 0) return
    process.put(messages)
    this.parts.inbox.put({ queue, process, messages })
  }
}
