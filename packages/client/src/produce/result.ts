import type { sendMessageV2 } from '@skua-mq/protocol'
import { type MessageQueue, PropertyName, ResponseCode } from '@skua-mq/protocol'
import type { TypedReply } from '@skua-mq/remoting'
import { unwrapName } from '../name/namespace.ts'

/** How safe a stored message is; all but SEND_OK are stored, too. */
export type SendStatus = 'SEND_OK' | 'FLUSH_DISK_TIMEOUT' | 'FLUSH_SLAVE_TIMEOUT' | 'SLAVE_NOT_AVAILABLE'

/** Where a message was stored. */
export interface SendResult {
  /** Anything but SEND_OK: stored, but not as safe as the broker is configured for. */
  readonly sendStatus: SendStatus
  /** The unique id; of a batch all of them, joined by `,`. */
  readonly msgId: string
  /** Says where the message lies. */
  readonly offsetMsgId: string
  readonly queue: MessageQueue
  /** Of a batch the first one's. */
  readonly queueOffset: number
  readonly transactionId: string
  readonly regionId: string
  /** The broker wants this message traced. */
  readonly traceOn: boolean
  /** Of a message with a time of delivery, from brokers that have it: `producer.recall` takes it back by this. */
  readonly recallHandle: string | undefined
}

const statusOf: Readonly<Record<number, SendStatus>> = {
  [ResponseCode.success]: 'SEND_OK',
  [ResponseCode.flushDiskTimeout]: 'FLUSH_DISK_TIMEOUT',
  [ResponseCode.slaveNotAvailable]: 'SLAVE_NOT_AVAILABLE',
  [ResponseCode.flushSlaveTimeout]: 'FLUSH_SLAVE_TIMEOUT',
}

/** Undefined when the reply is a refusal. */
export function sendResult(
  reply: TypedReply<typeof sendMessageV2>,
  sent: { msgId: string; queue: MessageQueue; namespace: string },
): SendResult | undefined {
  const sendStatus = statusOf[reply.code]
  if (sendStatus === undefined) return undefined
  const { msgId: offsetMsgId, queueId, queueOffset, transactionId, recallHandle } = reply.header
  const { topic, brokerName } = sent.queue
  return {
    sendStatus,
    msgId: sent.msgId,
    offsetMsgId,
    queue: { topic: unwrapName(sent.namespace, topic), brokerName, queueId },
    queueOffset,
    transactionId: transactionId ?? sent.msgId,
    regionId: reply.extFields[PropertyName.msgRegion] ?? 'DefaultRegion',
    traceOn: reply.extFields[PropertyName.traceSwitch] !== 'false',
    recallHandle,
  }
}
