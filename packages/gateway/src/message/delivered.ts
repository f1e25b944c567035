import { createHash } from 'node:crypto'
import {
  isCompressed,
  isReservedProperty,
  PropertyName,
  printHost,
  type StoredMessage,
  splitKeys,
} from '@skua-mq/protocol'
import { DigestType, Encoding } from '../v2/enums.ts'
import type { MessageDraft } from '../v2/shared.ts'
import { secondsOf } from '../v2/times.ts'
import { typeOf } from './stored.ts'

/** A stored message as gRPC consumers get it (grpc.md 4). */
export function delivered(
  stored: StoredMessage,
  { topic, receiptHandle }: { topic: string; receiptHandle?: string },
): MessageDraft {
  const { properties, body } = stored
  const userProperties = new Map<string, string>()
  // As RocketMQ's proxy does it: a message group is told twice.
  for (const [name, value] of properties) if (!isReservedProperty(name)) userProperties.set(name, value)
  return {
    topic: { name: topic },
    userProperties,
    body,
    systemProperties: {
      ...fromProperties(properties),
      messageId: properties.get(PropertyName.uniqueKey) ?? stored.offsetMsgId,
      bodyDigest: { type: DigestType.md5, checksum: createHash('md5').update(body).digest('hex').toUpperCase() },
      bodyEncoding: isCompressed(stored.sysFlag) ? Encoding.gzip : Encoding.identity,
      messageType: typeOf(properties),
      bornTimestamp: secondsOf(stored.bornTimestamp),
      bornHost: properties.get(PropertyName.bornHost) ?? printHost(stored.bornHost),
      storeTimestamp: secondsOf(stored.storeTimestamp),
      storeHost: printHost(stored.storeHost),
      queueId: stored.queueId,
      queueOffset: stored.queueOffset,
      deliveryAttempt: stored.reconsumeTimes + 1,
      receiptHandle,
    },
  }
}

function fromProperties(properties: ReadonlyMap<string, string>) {
  const get = (name: string) => properties.get(name)
  const deliverMs = Number(get(PropertyName.timerDeliverMs) ?? Number.NaN)
  const originTopic = get(PropertyName.dlqOriginTopic)
  const originId = get(PropertyName.dlqOriginMessageId)
  return {
    tag: get(PropertyName.tags),
    keys: splitKeys(get(PropertyName.keys) ?? ''),
    deliveryTimestamp: Number.isSafeInteger(deliverMs) ? secondsOf(deliverMs) : undefined,
    messageGroup: get(PropertyName.shardingKey),
    traceContext: get(PropertyName.traceContext),
    deadLetterQueue:
      originTopic === undefined || originId === undefined ? undefined : { topic: originTopic, messageId: originId },
  }
}
