import {
  decodeRecords,
  type Host,
  type MessageQueue,
  type Properties,
  PropertyName,
  printHost,
  type StoredMessage,
  splitKeys,
} from '@skua-mq/protocol'
import { bounded } from '../bounded.ts'
import { ClientError } from '../error.ts'
import { isRetryTopic, retryTopic, unwrapName } from '../name/namespace.ts'
import { unpackInnerBatch } from './batch.ts'
import { type Compressors, decompressBody } from './compression.ts'
import { type Settlement, settlementOf } from './settlement.ts'

/** A message as a consumer gets it. */
export class ReceivedMessage<T = undefined> {
  /** As the application knows it: without namespace, and for a retried message the original one. */
  readonly topic: string
  /** Decompressed. */
  readonly body: Buffer
  /** What the consumer's codec made of the body; undefined without a codec. */
  value: T
  readonly properties: Properties
  /** The sender's unique id; of a sender without ids the offset id. */
  readonly msgId: string
  /** Says where the message lies. */
  readonly offsetMsgId: string
  /** Names as on the wire. */
  readonly queue: MessageQueue
  readonly queueOffset: number
  readonly physicalOffset: number
  readonly flag: number
  readonly sysFlag: number
  /** Bytes in the store. */
  readonly storeSize: number
  /** How often it came back; 0 for the first time. */
  reconsumeTimes: number
  readonly bornAtMs: number
  readonly storedAtMs: number
  readonly preparedTransactionOffset: number
  private readonly hosts: { readonly born: Host; readonly store: Host }

  constructor(stored: StoredMessage, as: { topic: string; body: Buffer; queue: MessageQueue }) {
    this.topic = as.topic
    this.body = as.body
    this.value = undefined as T
    this.properties = stored.properties
    this.msgId = stored.properties.get(PropertyName.uniqueKey) ?? stored.offsetMsgId
    this.offsetMsgId = stored.offsetMsgId
    this.queue = as.queue
    this.queueOffset = stored.queueOffset
    this.physicalOffset = stored.physicalOffset
    this.flag = stored.flag
    this.sysFlag = stored.sysFlag
    this.storeSize = stored.storeSize
    this.reconsumeTimes = stored.reconsumeTimes
    this.bornAtMs = stored.bornTimestamp
    this.storedAtMs = stored.storeTimestamp
    this.preparedTransactionOffset = stored.preparedTransactionOffset
    this.hosts = { born: stored.bornHost, store: stored.storeHost }
  }

  get tag(): string | undefined {
    return this.properties.get(PropertyName.tags)
  }

  get keys(): string[] {
    return splitKeys(this.properties.get(PropertyName.keys) ?? '')
  }

  /** `host:port` of the sender's connection. */
  get bornHost(): string {
    return printHost(this.hosts.born)
  }

  /** `host:port` of the broker that stored it. */
  get storeHost(): string {
    return printHost(this.hosts.store)
  }

  get transactionId(): string | undefined {
    return this.properties.get(PropertyName.transactionId) ?? this.properties.get(PropertyName.uniqueKey)
  }

  /**
   * It is consumed. In a loop at once; in a handler with its return, whatever else it returns; of a SimpleConsumer it resolves when the
   * broker knows. Errors: ClientError STATE for a message whose consumer goes by offsets.
   */
  async ack(): Promise<void> {
    await this.settlement().ack()
  }

  /**
   * It comes again, after `delay` ms or later: brokers have steps from 1 s to 2 h for retries (delay levels), and a SimpleConsumer's any time.
   * Default: as the broker does it, from 10 s on.
   */
  async nack({ delay }: { readonly delay?: number | undefined } = {}): Promise<void> {
    if (delay !== undefined) bounded('delay', delay, { min: 0, max: 43_200_000 })
    await this.settlement().nack(delay)
  }

  private settlement(): Settlement {
    const found = settlementOf(this as ReceivedMessage<unknown>)
    if (found !== undefined) return found
    throw new ClientError(
      'STATE',
      'this message is not acknowledged by itself: its consumer commits offsets (LitePullConsumer.commit, PullConsumer.updateConsumeOffset)',
    )
  }

  /** The body as UTF-8. */
  text(): string {
    return this.body.toString('utf8')
  }

  /** The body as JSON, unchecked; for checked bodies give the consumer a codec. Throws SyntaxError. */
  json<J = unknown>(): J {
    return JSON.parse(this.text()) as J
  }
}

/** What becomes of stored messages on their way to an application. */
export interface ReceiveRules {
  readonly namespace: string
  /** Consumer group on the wire: messages of its retry topic get their original topic back. */
  readonly group?: string
  readonly compressors?: Compressors | undefined
  /** Static topics of 5.x: added to each queue offset. Default 0. */
  readonly offsetDelta?: number
  /** A message that cannot be read (unknown compression) is told here and left out. */
  unreadable(stored: StoredMessage, error: unknown): void
}

/** The messages of a pull's answer. The bytes are kept by the messages. */
export function receivedMessages(bytes: Uint8Array, queue: MessageQueue, rules: ReceiveRules): ReceivedMessage[] {
  const messages: ReceivedMessage[] = []
  for (const stored of decodeRecords(bytes)) {
    try {
      stored.queueOffset += rules.offsetDelta ?? 0
      for (const single of unpackInnerBatch(stored)) messages.push(receivedMessage(single, queue, rules))
    } catch (error) {
      rules.unreadable(stored, error)
    }
  }
  return messages
}

/** One stored message as a consumer gets it. Throws where its body cannot be decompressed. */
export function receivedMessage(
  stored: StoredMessage,
  queue: MessageQueue,
  rules: Pick<ReceiveRules, 'namespace' | 'group' | 'compressors'>,
): ReceivedMessage {
  const plain = decompressBody(stored.body, stored.sysFlag, rules.compressors)
  const body = Buffer.isBuffer(plain) ? plain : Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
  return new ReceivedMessage(stored, { topic: topicOf(stored, rules), body, queue })
}

function topicOf(stored: StoredMessage, rules: Pick<ReceiveRules, 'namespace' | 'group'>): string {
  const original = stored.properties.get(PropertyName.retryTopic)
  const own = rules.group === undefined ? isRetryTopic(stored.topic) : stored.topic === retryTopic(rules.group)
  return unwrapName(rules.namespace, own && original !== undefined ? original : stored.topic)
}
