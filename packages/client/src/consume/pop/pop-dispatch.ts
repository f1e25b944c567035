import { delay, every, type Timer } from '@skua-mq/runtime'
import { ClientError } from '../../error.ts'
import type { ReceivedMessage } from '../../message/received.ts'
import type { Pops } from '../../pop/pops.ts'
import type { Receipts } from '../../pop/receipts.ts'
import type { RunOutcome } from '../handler.ts'
import type { PushContext } from '../push-parts.ts'
import { type HandlerRun, succeeded } from '../run.ts'
import type { SendBack } from '../send-back.ts'
import type { Slots } from '../slots.ts'
import { levelMs, verdictOf } from '../verdicts.ts'

/** Between two tries of an acknowledgement that found no broker. */
const againMs = 1_000
/** The level of a first retry, of which each further one is the next. */
const firstLevel = 3

type Batch = readonly ReceivedMessage[]

export interface PopDispatchParts extends PushContext {
  readonly run: HandlerRun
  readonly receipts: Receipts
  readonly pops: Pops
  readonly sendBack: SendBack
  readonly slots: Slots
  readonly maxReconsumeTimes: number
}

/**
 * Hands popped messages to the handler and settles each by itself: acknowledged, or to come again after its delay. While they wait
 * and run, their time is prolonged, up to consumeTimeout.
 */
export class PopDispatch {
  private readonly parts: PopDispatchParts
  private readonly running = new Set<Promise<void>>()
  private readonly timers = new Set<Timer>()

  constructor(parts: PopDispatchParts) {
    this.parts = parts
  }

  /** Tells `done` of messages that are settled. */
  submit(messages: Batch, done: (count: number) => void): void {
    const size = this.parts.settings.consumeMessageBatchMaxSize
    for (const ofQueue of byQueue(messages))
      for (let at = 0; at < ofQueue.length; at += size) {
        const batch = ofQueue.slice(at, at + size)
        const work = this.consume(batch).finally(() => {
          this.running.delete(work)
          done(batch.length)
        })
        this.running.add(work)
      }
  }

  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running)
  }

  /** What still runs is prolonged no more: it comes again. */
  stop(): void {
    for (const timer of this.timers) timer.cancel()
    this.timers.clear()
  }

  /** Never rejects. */
  private async consume(batch: Batch): Promise<void> {
    const { slots, signal, pops, run } = this.parts
    const stopProlonging = this.prolong(batch)
    let outcome: RunOutcome
    try {
      await slots.take()
      try {
        if (signal.aborted) return void (await Promise.all(batch.map(message => pops.giveBack(message))))
        outcome = await run.run(batch[0]!.queue, batch as readonly ReceivedMessage<unknown>[])
      } finally {
        slots.give()
      }
    } finally {
      stopProlonging()
    }
    if (outcome.status === 'ABANDONED') await Promise.all(batch.map(message => pops.giveBack(message)))
    else await this.settle(batch, outcome)
  }

  private async settle(batch: Batch, outcome: RunOutcome): Promise<void> {
    const ackIndex = succeeded(outcome) ? Math.min(outcome.context.ackIndex, batch.length - 1) : -1
    await Promise.all(
      batch.map((message, index) => {
        const verdict = verdictOf(message as ReceivedMessage<unknown>)
        if (verdict === undefined ? index <= ackIndex : verdict.said === 'ack') return this.ack(message)
        const delayMs = verdict?.said === 'nack' ? verdict.delayMs : undefined
        return this.bringAgain(message, delayMs, outcome.context.delayLevelWhenNextConsume)
      }),
    )
  }

  /** Until the broker has it, or the message's time is over. */
  private async ack(message: ReceivedMessage): Promise<void> {
    const { receipts, instance, signal, emit, plainGroup: group } = this.parts
    for (;;) {
      try {
        return await receipts.ack(message)
      } catch (error) {
        const isLate = !(error instanceof ClientError) || !error.retriable || signal.aborted
        if (isLate) return emit('ackFailed', { group, msgId: message.msgId, error })
        await delay(instance.clock, againMs, signal).catch(() => {})
      }
    }
  }

  private async bringAgain(message: ReceivedMessage, delayMs: number | undefined, level: number): Promise<void> {
    const { receipts, sendBack, maxReconsumeTimes, emit, plainGroup: group } = this.parts
    const isLast = level < 0 || message.reconsumeTimes >= maxReconsumeTimes
    if (isLast && (await sendBack.giveUp(message as ReceivedMessage<unknown>))) return this.ack(message)
    const ms = delayMs ?? levelMs(level > 0 ? level : firstLevel + message.reconsumeTimes)
    try {
      await receipts.change(message, Math.max(1, ms))
    } catch (error) {
      emit('sendBackFailed', { group, msgId: message.msgId, error })
    }
  }

  /** Returns what ends it. */
  private prolong(batch: Batch): () => void {
    const { instance, settings, receipts, emit, plainGroup: group } = this.parts
    const { invisibleMs } = settings.pop
    const begunMs = instance.clock.monotonic()
    const timer = every(instance.clock, Math.floor(invisibleMs / 2), async () => {
      if (instance.clock.monotonic() - begunMs >= settings.consumeTimeoutMs) {
        end()
        for (const { topic, msgId } of batch) emit('consumeTimeout', { group, topic, msgId })
        return
      }
      await Promise.all(batch.map(message => receipts.change(message, invisibleMs).catch(() => {})))
    })
    const end = () => {
      timer.cancel()
      this.timers.delete(timer)
    }
    this.timers.add(timer)
    return end
  }
}

/** A handler of batches is given messages of one queue, in their order. */
function byQueue(messages: Batch): Batch[] {
  const queues = new Map<number, ReceivedMessage[]>()
  for (const message of messages) {
    const { queueId } = message.queue
    const ofQueue = queues.get(queueId)
    if (ofQueue === undefined) queues.set(queueId, [message])
    else ofQueue.push(message)
  }
  return [...queues.values()]
}
