import type { ConsumeMessageDirectlyResult, StoredMessage } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { reasonOf } from '../error.ts'
import { receivedMessage } from '../message/received.ts'
import type { RunOutcome } from './handler.ts'
import type { HandlerRun } from './run.ts'

/** 309: runs the handler on this message at once, and acknowledges nothing. */
export async function consumeDirectly(
  stored: StoredMessage,
  brokerName: string,
  by: { run: HandlerRun; namespace: string; group: string; orderly: boolean; clock: Clock },
): Promise<ConsumeMessageDirectlyResult> {
  const began = by.clock.monotonic()
  const queue = { topic: stored.topic, brokerName, queueId: stored.queueId }
  const message = receivedMessage(stored, queue, by)
  const outcome = await by.run.run(queue, [message])
  return {
    order: by.orderly,
    autoCommit: outcome.context.autoCommit,
    consumeResult: resultOf(outcome),
    remark: outcome.error === undefined ? undefined : reasonOf(outcome.error),
    spentTimeMills: Math.round(by.clock.monotonic() - began),
  }
}

function resultOf({ status, error }: RunOutcome) {
  if (error !== undefined) return 'CR_THROW_EXCEPTION' as const
  switch (status) {
    case 'CONSUME_SUCCESS':
    case 'SUCCESS':
      return 'CR_SUCCESS' as const
    case 'COMMIT':
      return 'CR_COMMIT' as const
    case 'ROLLBACK':
      return 'CR_ROLLBACK' as const
    default:
      return 'CR_LATER' as const
  }
}
