import {
  ackMessage,
  batchAckMessage,
  changeMessageInvisibleTime,
  decodeRecords,
  PropertyName,
  parseExtraInfo,
  popMessage,
  printExtraInfo,
  retryMarkOf,
  sendMessageV2,
  topicOfMark,
} from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { EventHub, nodeRuntime } from '@skua-mq/runtime'

/** A message with the text that it is acknowledged by. */
export interface PoppedMessage {
  readonly body: string
  readonly handle: string
  readonly reconsumeTimes: number
}

export interface PopWish {
  readonly invisibleTime: number
  readonly maxMsgNums?: number
  readonly pollTime?: number
  readonly order?: boolean
  readonly attemptId?: string
}

/** Pops at any broker that speaks RocketMQ's protocol of 5.x. */
export class PopClient {
  private readonly client = new RemotingClient({ ...nodeRuntime(new EventHub()), version: 485 })
  private readonly address: string
  private readonly topic: string
  private readonly group: string

  constructor(address: string, topic: string, group: string) {
    this.address = address
    this.topic = topic
    this.group = group
  }

  close(): Promise<void> {
    return this.client.close()
  }

  /** Returns the code. */
  async send(body: string, queueId: number): Promise<number> {
    const header = {
      ...{ producerGroup: 'pop-client', topic: this.topic, defaultTopic: 'TBW102', defaultTopicQueueNums: 4, queueId },
      ...{ sysFlag: 0, bornTimestamp: Date.now(), flag: 0, properties: '', reconsumeTimes: 0 },
      ...{ unitMode: false, batch: false },
    }
    return (await this.client.request(this.address, sendMessageV2, header, { body: Buffer.from(body) })).code
  }

  /** The answer as it came, and its messages. */
  async pop({ invisibleTime, maxMsgNums = 32, pollTime = 0, order = false, attemptId }: PopWish) {
    const { topic, group } = this
    const header = {
      ...{ consumerGroup: group, topic, queueId: -1, maxMsgNums, invisibleTime, pollTime, bornTime: Date.now() },
      ...{ initMode: 0, order, attemptId },
    }
    const reply = await this.client.request(this.address, popMessage, header, { timeoutMs: pollTime + 10_000 })
    return { code: reply.code, header: reply.header, messages: reply.code === 0 ? messagesOf(reply) : [] }
  }

  private settled(handle: string) {
    const { mark, queueId, queueOffset } = parseExtraInfo(handle)!
    const topic = topicOfMark(mark, this.topic, this.group)!
    return { consumerGroup: this.group, topic, queueId, extraInfo: handle, offset: queueOffset! }
  }

  async ack({ handle }: PoppedMessage): Promise<number> {
    return (await this.client.request(this.address, ackMessage, this.settled(handle))).code
  }

  async ackAll(popped: readonly PoppedMessage[]): Promise<number> {
    const acks = popped.map(({ handle }) => {
      const info = parseExtraInfo(handle)!
      const bit = info.queueOffset! - info.startOffset
      const bytes = Buffer.alloc((bit >> 3) + 1)
      bytes[bit >> 3] = 1 << (bit & 7)
      const { startOffset: so, popTime: pt, invisibleTime: it, reviveQid: rq, mark: r, queueId: q } = info
      return { c: this.group, t: this.topic, r, so, q, rq, pt, it, b: bytes.toString('base64') }
    })
    const body = batchAckMessage.body!.encode({ brokerName: 'broker-a', acks })
    return (await this.client.request(this.address, batchAckMessage, {}, { body })).code
  }

  async change({ handle }: PoppedMessage, invisibleTime: number): Promise<number> {
    const header = { ...this.settled(handle), invisibleTime }
    return (await this.client.request(this.address, changeMessageInvisibleTime, header)).code
  }
}

interface PopReply {
  readonly header?:
    | { popTime: number; invisibleTime: number; reviveQid: number; startOffsetInfo?: string | undefined }
    | undefined
  readonly body?: Uint8Array | undefined
}

function messagesOf({ header, body }: PopReply): PoppedMessage[] {
  const { popTime, invisibleTime, reviveQid, startOffsetInfo = '' } = header!
  const parts = startOffsetInfo.split(';').map(each => each.split(' '))
  const starts = new Map(parts.map(([mark, queueId, start]) => [`${mark} ${queueId}`, Number(start)]))
  return [...decodeRecords(body!)].map(({ topic, queueId, queueOffset, properties, body: bytes, reconsumeTimes }) => {
    const mark = retryMarkOf(topic)
    const startOffset = starts.get(`${mark} ${queueId}`) ?? -1
    const info = { startOffset, popTime, invisibleTime, reviveQid, mark, brokerName: 'broker-a', queueId, queueOffset }
    const handle = properties.get(PropertyName.popCheckPoint) ?? printExtraInfo(info)
    return { body: Buffer.from(bytes).toString(), handle, reconsumeTimes }
  })
}
