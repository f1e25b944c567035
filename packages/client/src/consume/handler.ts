import type { MessageQueue } from '@skua-mq/protocol'
import type { ReceivedMessage } from '../message/received.ts'

/** What a handler may answer; nothing means success. An exception means: later. */
export type ConsumeStatus = 'CONSUME_SUCCESS' | 'RECONSUME_LATER'
/** The same of orderly consumption. COMMIT and ROLLBACK are for `context.autoCommit = false`. */
export type OrderlyStatus = 'SUCCESS' | 'SUSPEND_CURRENT_QUEUE_A_MOMENT' | 'COMMIT' | 'ROLLBACK'
/** What a handler may answer, in whichever way the consumer consumes. */
export type HandlerStatus = ConsumeStatus | OrderlyStatus
export type HandlerAnswer = HandlerStatus | undefined

/** What a handler may know and set. */
export interface ConsumeContext {
  readonly queue: MessageQueue
  /** Aborted when the consumer closes. */
  readonly signal: AbortSignal
  /** Batches: index of the last message that is done. Default: all are. */
  ackIndex: number
  /** Level of the next try: 0 the broker chooses (3 + n), -1 no further try but the dead letters. */
  delayLevelWhenNextConsume: number
  /** Orderly: false leaves it to COMMIT and ROLLBACK when offsets move. */
  autoCommit: boolean
  /** Orderly: ms until the same messages come again. */
  suspendCurrentQueueTimeMillis: number
}

// biome-ignore lint/suspicious/noConfusingVoidType: handlers without an answer are the common case
type Answer = HandlerStatus | void
/** Consumes one message. See `PushConsumer.onMessage`. */
export type MessageHandler<T = undefined> = (
  message: ReceivedMessage<T>,
  context: ConsumeContext,
) => Answer | Promise<Answer>
/** Consumes messages of one queue, in their order; `context.ackIndex` says how far it came. See `PushConsumer.onMessages`. */
export type BatchHandler<T = undefined> = (
  messages: readonly ReceivedMessage<T>[],
  context: ConsumeContext,
) => Answer | Promise<Answer>

/** The outcome of a run; `abandoned` when the consumer closed under it: nothing is acknowledged and nothing given back. */
export interface RunOutcome {
  readonly status: HandlerStatus | 'ABANDONED'
  readonly context: ConsumeContext
  readonly error?: unknown
}

export type Listener = (
  messages: readonly ReceivedMessage<unknown>[],
  context: ConsumeContext,
) => Promise<HandlerStatus | 'ABANDONED' | undefined> | HandlerStatus | 'ABANDONED' | undefined

/** Runs a handler for single messages over a batch: it stops at the first that fails, and those before it are done. */
export function overBatch<T>(handler: MessageHandler<T>): BatchHandler<T> {
  return async (messages, context) => {
    for (const [index, message] of messages.entries()) {
      let answer: Answer
      try {
        answer = await handler(message, context)
      } catch (error) {
        if (index === 0) throw error
        context.ackIndex = index - 1
        return 'CONSUME_SUCCESS'
      }
      if (answer === undefined || answer === 'CONSUME_SUCCESS' || answer === 'SUCCESS') continue
      if (index === 0 || (answer as string) === 'ABANDONED') return answer
      context.ackIndex = index - 1
      return 'CONSUME_SUCCESS'
    }
    return undefined
  }
}
