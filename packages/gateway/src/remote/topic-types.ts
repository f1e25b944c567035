import { getTopicConfig, ResponseCode } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { refusedBy } from '../refused.ts'
import { MessageType } from '../v2/enums.ts'
import type { Brokers } from './brokers.ts'
import { Cache } from './cache.ts'

const keepMs = 10_000
const maxTopics = 10_000

const { normal, fifo, delay, transaction, lite, priority } = MessageType

/** By the topic's attribute message.type. */
const byAttribute: Readonly<Record<string, readonly MessageType[]>> = {
  NORMAL: [normal],
  FIFO: [fifo],
  DELAY: [delay],
  TRANSACTION: [transaction],
  MIXED: [normal, fifo, delay, transaction],
  LITE: [lite],
  PRIORITY: [priority],
}

/** The topic is not there, or a broker of 4.x that tells of no single topic. */
const knowsNone: ReadonlySet<number> = new Set([ResponseCode.topicNotExist, ResponseCode.requestCodeNotSupported])

/** Which kinds of messages a topic takes. */
export class TopicTypes {
  private readonly cache: Cache<readonly MessageType[]>
  private readonly untyped: readonly MessageType[]

  /** `untyped`: name of the type of a topic without one; RocketMQ has NORMAL. */
  constructor({ clock, untyped }: { clock: Pick<Clock, 'monotonic'>; untyped: string }) {
    this.untyped = byAttribute[untyped] ?? [normal]
    this.cache = new Cache({ clock, keepMs, most: maxTopics })
  }

  /** Asked in the name of whoever needs it. */
  accepted(topic: string, brokers: Brokers): Promise<readonly MessageType[]> {
    return this.cache.get(topic, () => this.load(topic, brokers))
  }

  private load(topic: string, brokers: Brokers): Promise<readonly MessageType[]> {
    const ask = async (address: string): Promise<readonly MessageType[]> => {
      const reply = await brokers.ask(address, { spec: getTopicConfig, header: { topic } })
      if (knowsNone.has(reply.code)) return this.untyped
      // One that is busy says nothing of the topic.
      if (reply.code !== ResponseCode.success || reply.body === undefined) throw refusedBy(reply.code, reply.remark)
      const type = getTopicConfig.replyBody!.decode(reply.body).attributes?.get('message.type')
      return (type === undefined ? undefined : byAttribute[type]) ?? this.untyped
    }
    return brokers.anyOf(topic, ask, this.untyped)
  }
}
