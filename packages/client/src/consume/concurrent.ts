import { type MessageQueue, PropertyName } from '@skua-mq/protocol'
import { delay, every, type Timer } from '@skua-mq/runtime'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { ReceivedMessage } from '../message/received.ts'
import type { RunOutcome } from './handler.ts'
import type { Offsets } from './offset-store/offsets.ts'
import type { Process } from './owned-queues.ts'
import type { PushSettings } from './push-options.ts'
import { type HandlerRun, succeeded } from './run.ts'
import type { SendBack } from './send-back.ts'
import type { Slots } from './slots.ts'
import { levelFor, verdictOf } from './verdicts.ts'

/** What could not be given back is tried again here after this time. */
const localRetryMs = 5_000
/** Messages of one queue that one round of the timeout check gives back at most. */
const maxExpiredPerRound = 16
const expiredDelayLevel = 3

export interface DispatchParts {
  readonly instance: ClientInstance
  readonly settings: PushSettings
  /** On the wire. */
  readonly group: string
  readonly offsets: Offsets
  readonly run: HandlerRun
  readonly sendBack: SendBack
  readonly slots: Slots
  readonly emit: EmitEvent
  readonly signal: AbortSignal
}

type Batch = readonly ReceivedMessage<unknown>[]

/** What was said of this one message. */
function levelOf(message: ReceivedMessage<unknown>): number | undefined {
  const verdict = verdictOf(message)
  return verdict?.said === 'nack' && verdict.delayMs !== undefined ? levelFor(verdict.delayMs) : undefined
}

/** Hands messages to the handler, many at a time, in no order (client.md 6). */
export class ConcurrentDispatch {
  private readonly parts: DispatchParts
  private readonly running = new Set<Promise<void>>()
  private timer: Timer | undefined

  constructor(parts: DispatchParts) {
    this.parts = parts
  }

  start(owned: () => Iterable<[MessageQueue, Process]>): void {
    const { instance, settings } = this.parts
    this.timer = every(instance.clock, settings.consumeTimeoutMs, () => this.giveBackExpired(owned()), 0)
  }

  submit(queue: MessageQueue, process: Process, messages: Batch): void {
    const size = this.parts.settings.consumeMessageBatchMaxSize
    for (let at = 0; at < messages.length; at += size) {
      const work = this.consume(queue, process, messages.slice(at, at + size))
      this.running.add(work)
      void work.finally(() => this.running.delete(work))
    }
  }

  /** Nothing stays behind: what still runs finds its queue dropped. */
  async released(): Promise<boolean> {
    return true
  }

  stop(): void {
    this.timer?.cancel()
  }

  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running)
  }

  private async consume(queue: MessageQueue, process: Process, batch: Batch): Promise<void> {
    await this.parts.slots.take()
    let outcome: RunOutcome
    try {
      if (process.dropped || this.parts.signal.aborted) return
      process.lastConsumeAtMs = this.parts.instance.clock.monotonic()
      outcome = await this.parts.run.run(queue, batch)
    } finally {
      this.parts.slots.give()
    }
    if (outcome.status === 'ABANDONED') return
    // Of a queue that is not ours any more the next owner consumes the batch again, so nothing is given back.
    if (process.dropped) return
    await this.settle(queue, process, { batch, outcome })
  }

  private async settle(
    queue: MessageQueue,
    process: Process,
    ran: { batch: Batch; outcome: RunOutcome },
  ): Promise<void> {
    const { batch, outcome } = ran
    const ackIndex = succeeded(outcome) ? Math.min(outcome.context.ackIndex, batch.length - 1) : -1
    const failed = batch.filter((message, index) => {
      const verdict = verdictOf(message)
      return verdict === undefined ? index > ackIndex : verdict.said === 'nack'
    })
    const kept = await this.giveBack(failed, outcome.context.delayLevelWhenNextConsume)
    if (kept.length > 0) this.retryHere(queue, process, kept)
    this.acknowledge(
      queue,
      process,
      batch.filter(message => !kept.includes(message)),
    )
  }

  private acknowledge(queue: MessageQueue, process: Process, done: Batch): void {
    const offset = process.remove(done)
    if (offset !== undefined && !process.dropped) this.parts.offsets.update(queue, offset, { increaseOnly: true })
  }

  /** Returns those that the broker would not take. */
  private async giveBack(failed: Batch, delayLevel: number): Promise<ReceivedMessage<unknown>[]> {
    const { settings, emit, group, sendBack } = this.parts
    if (settings.messageModel === 'BROADCASTING') {
      for (const { msgId } of failed) emit('messageDropped', { group, msgId, why: 'broadcasting has no retries' })
      return []
    }
    const given = await Promise.all(failed.map(message => sendBack.giveBack(message, levelOf(message) ?? delayLevel)))
    const kept = failed.filter((_, index) => !given[index])
    for (const message of kept) message.reconsumeTimes++
    return kept
  }

  private retryHere(queue: MessageQueue, process: Process, kept: Batch): void {
    delay(this.parts.instance.clock, localRetryMs, this.parts.signal).then(
      () => this.submit(queue, process, kept),
      () => {},
    )
  }

  /** The oldest message of a queue keeps its commit position back; one that runs too long is given back. */
  private async giveBackExpired(owned: Iterable<[MessageQueue, Process]>): Promise<void> {
    if (this.parts.settings.messageModel === 'BROADCASTING') return
    for (const [queue, process] of owned) {
      for (let i = 0; i < maxExpiredPerRound; i++) {
        const head = process.head
        if (head === undefined || process.dropped || !this.expired(head)) break
        if (!(await this.parts.sendBack.giveBack(head, expiredDelayLevel))) break
        const { group, emit } = this.parts
        emit('consumeTimeout', { group, topic: head.topic, msgId: head.msgId })
        if (process.has(head)) this.acknowledge(queue, process, [head])
      }
    }
  }

  private expired(message: ReceivedMessage<unknown>): boolean {
    const started = message.properties.get(PropertyName.consumeStartTimestamp)
    return (
      started !== undefined && this.parts.instance.clock.now() - Number(started) > this.parts.settings.consumeTimeoutMs
    )
  }
}
