import assert from 'node:assert/strict'
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
  type StoredMessage,
  topicOfMark,
} from '@skua-mq/protocol'
import type { Peer } from '../world.ts'

/** A message as a consumer has it: with the text that it acknowledges it by. */
export interface Popped {
  readonly text: string
  readonly message: StoredMessage
  readonly handle: string
}

export interface Wish {
  readonly invisibleTime?: number
  readonly pollTime?: number
  readonly maxMsgNums?: number
  readonly queueId?: number
  readonly initMode?: number
  readonly exp?: string
  readonly expType?: string
  readonly order?: boolean
  readonly attemptId?: string
}

/** A member of a group that pops a topic, as Java's client does. */
export class Popper {
  readonly peer: Peer
  readonly topic: string
  readonly group: string

  constructor(peer: Peer, topic = 'T', group = 'g') {
    this.peer = peer
    this.topic = topic
    this.group = group
  }

  ask(wish: Wish = {}) {
    return this.peer.world.settle(this.remoteAsk(wish))
  }

  /** The same for whoever goes on meanwhile. */
  remoteAsk(wish: Wish = {}) {
    const { topic, group, peer } = this
    const header = {
      consumerGroup: group,
      topic,
      queueId: -1,
      maxMsgNums: 32,
      invisibleTime: 60_000,
      pollTime: 0,
      bornTime: peer.world.runtime.clock.now(),
      initMode: 0,
      order: false,
      ...wish,
    }
    return peer.remoting.request(peer.world.address, popMessage, header, { timeoutMs: 60_000 })
  }

  async pop(wish: Wish = {}): Promise<Popped[]> {
    return this.read(await this.ask(wish))
  }

  /** What an answer holds; nothing where there was nothing. */
  read(reply: Awaited<ReturnType<Popper['ask']>>): Popped[] {
    if (reply.code !== 0) return []
    const { popTime, invisibleTime, reviveQid, startOffsetInfo = '' } = reply.header!
    const starts = new Map(
      startOffsetInfo
        .split(';')
        .map(each => each.split(' '))
        .map(([m, q, so]) => [`${m} ${q}`, Number(so)]),
    )
    return [...decodeRecords(reply.body!)].map(message => {
      const { queueId, queueOffset, topic, properties } = message
      const mark = retryMarkOf(topic)
      const startOffset = starts.get(`${mark} ${queueId}`) ?? -1
      const info = {
        startOffset,
        popTime,
        invisibleTime,
        reviveQid,
        mark,
        brokerName: 'broker-a',
        queueId,
        queueOffset,
      }
      const handle = properties.get(PropertyName.popCheckPoint) ?? printExtraInfo(info)
      return { text: Buffer.from(message.body).toString(), message, handle }
    })
  }

  private settled(handle: string) {
    const { mark, queueId, queueOffset } = parseExtraInfo(handle)!
    const topic = topicOfMark(mark, this.topic, this.group)!
    return { consumerGroup: this.group, topic, queueId, extraInfo: handle, offset: queueOffset! }
  }

  async ack({ handle }: Popped): Promise<number> {
    return (await this.peer.ask(ackMessage, this.settled(handle))).code
  }

  /** Returns the handle that replaces the former one. */
  async change({ handle, text, message }: Popped, invisibleTime: number): Promise<Popped> {
    const reply = await this.peer.ask(changeMessageInvisibleTime, { ...this.settled(handle), invisibleTime })
    assert.equal(reply.code, 0, reply.remark)
    const info = parseExtraInfo(handle)!
    const { popTime, reviveQid } = reply.header!
    const startOffset = reviveQid === 999 ? info.startOffset : info.queueOffset!
    return {
      text,
      message,
      handle: printExtraInfo({ ...info, startOffset, popTime, invisibleTime: reply.header!.invisibleTime, reviveQid }),
    }
  }

  async ackAll(popped: readonly Popped[]): Promise<number> {
    const acks = popped.map(({ handle }) => {
      const {
        startOffset: so,
        popTime: pt,
        invisibleTime: it,
        reviveQid: rq,
        mark: r,
        queueId: q,
        queueOffset,
      } = parseExtraInfo(handle)!
      const bit = queueOffset! - so
      const bytes = Buffer.alloc((bit >> 3) + 1)
      bytes[bit >> 3] = 1 << (bit & 7)
      return { c: this.group, t: this.topic, r, so, q, rq, pt, it, b: bytes.toString('base64') }
    })
    return (await this.peer.ask(batchAckMessage, {}, { brokerName: 'broker-a', acks })).code
  }
}

export const texts = (popped: readonly Popped[]): string[] => popped.map(({ text }) => text).sort()
