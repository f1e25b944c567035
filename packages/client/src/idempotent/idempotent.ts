import type { ConsumeContext, HandlerStatus, MessageHandler } from '../consume/handler.ts'
import { verdictOf } from '../consume/verdicts.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { MemoryIdempotentStore } from './memory-store.ts'
import type { IdempotentStore } from './store.ts'

/** What `idempotent` takes. */
export interface IdempotentOptions<T> {
  /** Default: the memory of this process. */
  readonly store?: IdempotentStore
  /** What makes two messages the same. Default: the unique id, which stays through retries of sender and consumer. */
  readonly key?: (message: ReceivedMessage<T>) => string
}

const failures: ReadonlySet<unknown> = new Set<HandlerStatus>([
  'RECONSUME_LATER',
  'SUSPEND_CURRENT_QUEUE_A_MOMENT',
  'ROLLBACK',
])

/**
 * A handler that runs once per message, although delivery is at least once: `consumer.onMessage(idempotent({ store },
 * handler))`. A message that another run handles at the moment is asked for again later.
 */
export function idempotent<T>(options: IdempotentOptions<T>, handler: MessageHandler<T>): MessageHandler<T> {
  const { store = new MemoryIdempotentStore(), key = message => message.msgId } = options
  const once = async (message: ReceivedMessage<T>, context: ConsumeContext): Promise<HandlerStatus | undefined> => {
    const id = key(message)
    const state = await store.begin(id)
    if (state === 'done') return undefined
    if (state === 'running') return 'RECONSUME_LATER'
    let status: HandlerStatus | undefined
    try {
      status = (await handler(message, context)) ?? undefined
    } catch (error) {
      await store.failed(id)
      throw error
    }
    if (comesAgain(message as ReceivedMessage<unknown>, status, context)) await store.failed(id)
    else await store.done(id)
    return status
  }
  Object.defineProperty(once, 'name', { value: handler.name })
  return once
}

/** By what the handler said of the message, by `ack`, `nack` or `ackIndex`, or by what it returned. */
function comesAgain(message: ReceivedMessage<unknown>, status: unknown, { ackIndex }: ConsumeContext): boolean {
  const verdict = verdictOf(message)
  return verdict === undefined ? failures.has(status) || ackIndex < 0 : verdict.said === 'nack'
}
