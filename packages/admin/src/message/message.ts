import { receivedMessage, unpackInnerBatch } from '@skua-mq/client'
import { decodeRecords, type StoredMessage } from '@skua-mq/protocol'

/** A stored message. Names are as on the wire, the body is decompressed. */
export interface FoundMessage {
  readonly topic: string
  /** The sender's unique id; of a sender without ids the offset id. */
  readonly msgId: string
  /** Says where the message lies. */
  readonly offsetMsgId: string
  readonly tags: string | undefined
  readonly keys: readonly string[]
  readonly brokerName: string
  readonly queueId: number
  readonly queueOffset: number
  readonly physicalOffset: number
  readonly reconsumeTimes: number
  /** Milliseconds since 1970. */
  readonly bornAtMs: number
  readonly storedAtMs: number
  /** host:port. */
  readonly bornHost: string
  readonly storeHost: string
  readonly flag: number
  readonly sysFlag: number
  /** Bytes in the store. */
  readonly storeSize: number
  readonly properties: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Messages that could be read, and how many could not: their compression is unknown here. */
export interface FoundMessages {
  readonly messages: readonly FoundMessage[]
  readonly unreadable: number
}

/** Stored messages back to back, as 11, 12 and 33 answer. */
export function readMessages(bytes: Uint8Array | undefined, brokerName: string): FoundMessages {
  const messages: FoundMessage[] = []
  let unreadable = 0
  for (const stored of bytes === undefined ? [] : decodeRecords(bytes)) {
    try {
      for (const single of unpackInnerBatch(stored)) messages.push(found(single, brokerName))
    } catch {
      unreadable++
    }
  }
  return { messages, unreadable }
}

function found(stored: StoredMessage, brokerName: string): FoundMessage {
  const { queueId } = stored
  const message = receivedMessage(stored, { topic: stored.topic, brokerName, queueId }, { namespace: '' })
  const { msgId, offsetMsgId, tag, keys, queueOffset, physicalOffset, body } = message
  return {
    // Where it lies: a consumer is shown the first topic of a retry.
    topic: stored.topic,
    msgId,
    offsetMsgId,
    tags: tag,
    keys,
    brokerName,
    queueId,
    queueOffset,
    physicalOffset,
    reconsumeTimes: message.reconsumeTimes,
    bornAtMs: message.bornAtMs,
    storedAtMs: message.storedAtMs,
    bornHost: message.bornHost,
    storeHost: message.storeHost,
    flag: message.flag,
    sysFlag: message.sysFlag,
    storeSize: message.storeSize,
    properties: Object.fromEntries(message.properties),
    body,
  }
}
