import {
  checkTransactionState,
  draftRecord,
  encodeHost,
  PropertyName,
  printProperties,
  readRecord,
  recordSize,
  writeFields,
  writeRecord,
} from '@skua-mq/protocol'
import type { OutgoingCommand } from '@skua-mq/remoting'
import { realTarget } from './half-message.ts'

/**
 * What a producer is asked about a half message (39): its places in the half topic, and the message itself as if it lay
 * where it belongs. Undefined for what is no half message.
 */
export function checkQuestion(
  record: Uint8Array,
  { brokerName, namesTopic }: { readonly brokerName: string; readonly namesTopic: boolean },
): OutgoingCommand | undefined {
  const message = readRecord(record)?.message
  if (message === undefined) return undefined
  const target = realTarget(message)
  if (target === undefined) return undefined
  const uniqueKey = message.properties.get(PropertyName.uniqueKey)
  const { bornHost, storeHost } = message
  const draft = draftRecord({
    ...message,
    queueId: target.queueId,
    topic: Buffer.from(target.topic),
    bornHost: encodeHost(bornHost.address, bornHost.port)!,
    storeHost: encodeHost(storeHost.address, storeHost.port)!,
    properties: Buffer.from(printProperties(message.properties)),
  })
  const body = Buffer.alloc(recordSize(draft))
  writeRecord(body, 0, draft)
  const extFields = writeFields(checkTransactionState.header, {
    tranStateTableOffset: message.queueOffset,
    commitLogOffset: message.physicalOffset,
    msgId: uniqueKey,
    transactionId: uniqueKey,
    offsetMsgId: message.offsetMsgId,
    topic: namesTopic ? target.topic : undefined,
    bname: brokerName,
  })
  return { code: checkTransactionState.code, extFields, body }
}
