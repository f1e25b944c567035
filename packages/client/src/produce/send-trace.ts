import { PropertyName, SysFlag, TransactionKind } from '@skua-mq/protocol'
import type { Draft } from '../message/outgoing.ts'
import { unwrapName } from '../name/namespace.ts'
import { type PubRecord, TraceMessageType } from '../trace/record.ts'
import type { SendResult } from './result.ts'

/** The trace record of a send that is over. */
export function pubRecord(
  draft: Draft,
  sent: {
    result: SendResult | undefined
    beganAtMs: number
    costMs: number
    group: string
    namespace: string
    storeHost: string
  },
): PubRecord {
  const { properties, sysFlag } = draft
  const half = (sysFlag & SysFlag.transactionMask) === TransactionKind.prepared
  const delayed = [PropertyName.delayTimeLevel, PropertyName.timerDelayMs, PropertyName.timerDeliverMs]
  const { normal, half: halfType, delay } = TraceMessageType
  return {
    kind: 'Pub',
    timestampMs: sent.beganAtMs,
    regionId: sent.result?.regionId ?? 'DefaultRegion',
    group: unwrapName(sent.namespace, sent.group),
    topic: unwrapName(sent.namespace, draft.topic),
    msgId: draft.msgId,
    tags: properties.get(PropertyName.tags),
    keys: properties.get(PropertyName.keys),
    storeHost: sent.storeHost,
    bodyLength: draft.body.length,
    costMs: Math.round(sent.costMs),
    messageType: half ? halfType : delayed.some(name => properties.has(name)) ? delay : normal,
    offsetMsgId: sent.result?.offsetMsgId ?? '',
    success: sent.result !== undefined,
  }
}
