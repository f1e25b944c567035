import assert from 'node:assert/strict'
import {
  ackMessage,
  changeMessageInvisibleTime,
  decodeRecords,
  PropertyName,
  parseExtraInfo,
  popMessage,
  printExtraInfo,
  ResponseCode,
  retryMarkOf,
  topicOfMark,
} from '@skua-mq/protocol'
import type { SimRandom } from '@skua-mq/runtime'
import { type Ask, isPlain } from './traffic.ts'

const group = 'popping'
const invisibleTime = 4000

/** An acknowledgement that is answered so shortly before the end of the invisible time may have been too late. */
const marginMs = 500

/** Stored, and not synced, or at no slave. */
const unmet: ReadonlySet<number> = new Set([
  ResponseCode.flushDiskTimeout,
  ResponseCode.slaveNotAvailable,
  ResponseCode.flushSlaveTimeout,
])

interface Popped {
  readonly id: string
  readonly handle: string
  readonly untilMs: number
}

/** A group that pops: it acknowledges most of what it gets, keeps some for longer, and forgets the rest. */
export class PopTraffic {
  private readonly random: SimRandom
  private readonly now: () => number
  private readonly ask: Ask
  /** Whether an acknowledgement that was answered with 0 holds for ever. */
  private readonly keepsAcks: () => boolean
  /** What was acknowledged and answered with 0, and what may have been. */
  private readonly acked = new Set<string>()
  private readonly tried = new Set<string>()
  private held: Popped[] = []

  constructor(parts: { random: SimRandom; now: () => number; ask: Ask; keepsAcks: () => boolean }) {
    this.random = parts.random
    this.now = parts.now
    this.ask = parts.ask
    this.keepsAcks = parts.keepsAcks
  }

  async step(): Promise<void> {
    for (const popped of await this.pop(1 + this.random.int(8))) {
      const dice = this.random.int(10)
      if (dice < 6) await this.ack(popped)
      else if (dice < 8) await this.change(popped)
      else if (dice < 9) this.held.push(popped)
    }
    const late = this.held.shift()
    if (late !== undefined) await this.ack(late)
  }

  /** Takes and acknowledges what is there; false where there was nothing. */
  async drain(): Promise<boolean> {
    const popped = await this.pop(32)
    for (const one of popped) await this.ack(one)
    return popped.length > 0
  }

  /** Each of these has come, and came again as long as nobody acknowledged it. */
  check(ids: Iterable<string>): void {
    for (const id of ids) assert.ok(this.tried.has(id), `${id} was never popped, or not again`)
  }

  /** Nothing of it is promised any more. */
  forget(): void {
    this.acked.clear()
  }

  private async pop(maxMsgNums: number): Promise<Popped[]> {
    const header = {
      ...{ consumerGroup: group, topic: 'T', queueId: -1, maxMsgNums, invisibleTime, pollTime: 0, bornTime: 0 },
      ...{ initMode: 0, order: false },
    }
    const untilMs = this.now() + invisibleTime - marginMs
    const reply = await this.ask(popMessage, header)
    if (reply?.code !== 0 || reply.body === undefined) return []
    const {
      popTime,
      reviveQid,
      startOffsetInfo = '',
    } = reply.header as {
      popTime: number
      reviveQid: number
      startOffsetInfo?: string
    }
    const starts = new Map(
      startOffsetInfo
        .split(';')
        .map(each => each.split(' '))
        .map(([mark, queueId, offset]) => [`${mark} ${queueId}`, Number(offset)]),
    )
    return [...decodeRecords(reply.body)].map(({ topic, queueId, queueOffset, properties }) => {
      const mark = retryMarkOf(topic)
      const startOffset = starts.get(`${mark} ${queueId}`) ?? -1
      const info = { startOffset, popTime, invisibleTime, reviveQid, mark, brokerName: '', queueId, queueOffset }
      const id = properties.get(PropertyName.uniqueKey) ?? ''
      assert.ok(!this.keepsAcks() || !this.acked.has(id), `${id} came again, and was acknowledged`)
      return { id, handle: properties.get(PropertyName.popCheckPoint) ?? printExtraInfo(info), untilMs }
    })
  }

  private place(handle: string) {
    const { mark, queueId, queueOffset } = parseExtraInfo(handle)!
    return {
      consumerGroup: group,
      topic: topicOfMark(mark, 'T', group)!,
      queueId,
      extraInfo: handle,
      offset: queueOffset!,
    }
  }

  private async ack({ id, handle, untilMs }: Popped): Promise<void> {
    const reply = await this.ask(ackMessage, this.place(handle))
    // Refused it comes again; without an answer, or where it is stored without its promise being met, it may not.
    if (reply !== undefined && reply.code !== 0 && !unmet.has(reply.code)) return
    this.tried.add(id)
    // Of what has no time of its own there is one copy in the topic.
    if (reply?.code === 0 && this.now() < untilMs && isPlain(id)) this.acked.add(id)
  }

  private async change({ id, handle }: Popped): Promise<void> {
    const untilMs = this.now() + invisibleTime - marginMs
    const reply = await this.ask(changeMessageInvisibleTime, { ...this.place(handle), invisibleTime })
    if (reply?.code !== 0) return
    const info = parseExtraInfo(handle)!
    const { popTime, reviveQid } = reply.header as { popTime: number; reviveQid: number }
    const changed = { ...info, startOffset: info.queueOffset!, popTime, reviveQid }
    this.held.push({ id, handle: printExtraInfo(changed), untilMs })
  }
}
