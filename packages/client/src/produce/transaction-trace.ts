import { PropertyName } from '@skua-mq/protocol'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { Draft } from '../message/outgoing.ts'
import { type EndTransactionRecord, TraceMessageType } from '../trace/record.ts'
import type { TransactionState } from './options.ts'
import type { SendResult } from './result.ts'

const stateNames = { commit: 'COMMIT_MESSAGE', rollback: 'ROLLBACK_MESSAGE', unknown: 'UNKNOW' } as const

/** The trace record of a verdict. */
export function endTransactionRecord(
  { draft, result, state }: { draft: Draft; result: SendResult; state: TransactionState },
  at: { group: string; instance: ClientInstance },
): EndTransactionRecord {
  return {
    kind: 'EndTransaction',
    timestampMs: at.instance.clock.now(),
    regionId: result.regionId,
    group: at.group,
    topic: result.queue.topic,
    msgId: draft.msgId,
    tags: draft.properties.get(PropertyName.tags),
    keys: draft.properties.get(PropertyName.keys),
    storeHost: at.instance.routes.master(result.queue.brokerName) ?? '',
    messageType: TraceMessageType.commit,
    transactionId: result.transactionId,
    state: stateNames[state],
    fromTransactionCheck: false,
  }
}
