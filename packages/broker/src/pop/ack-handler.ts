import {
  type AckView,
  type BatchAck,
  changeMessageInvisibleTime,
  type ExtraInfo,
  FieldsHeader,
  orderReviveQueue,
  parseExtraInfo,
  ResponseCode,
  topicOfMark,
} from '@skua-mq/protocol'
import { ok, type Reply, type ReplyToken, refuse } from '@skua-mq/remoting'
import { type Clock, isBadPlace } from '@skua-mq/runtime'
import type { MessageStore, PutResult, QueueEntry } from '@skua-mq/store'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { PullStop, PullTopic } from '../pull/pull-handler.ts'
import { codeOfPut } from '../send/pending-send.ts'
import { CheckPoint, keyOf } from './check-point.ts'
import type { CheckPoints } from './check-points.ts'
import type { PopJournal } from './journal.ts'
import type { OrderPlace, OrderTable } from './order-table.ts'
import type { OrderWakes } from './order-wakes.ts'
import { maxInvisibleMs } from './pop-handler.ts'
import type { PopPositions } from './positions.ts'

export interface AckParts {
  readonly store: Pick<MessageStore, 'minOffset' | 'maxOffset' | 'queue'>
  readonly clock: Pick<Clock, 'now'>
  readonly topic: (topic: string) => PullTopic | undefined
  readonly points: CheckPoints
  readonly positions: PopPositions
  readonly journal: PopJournal
  readonly orders: OrderTable
  readonly offsets: Pick<OffsetTable, 'find' | 'commit'>
  readonly wakes: OrderWakes
  /** Why this broker takes none: what is in flight its master knows. */
  readonly refusal: PullStop | undefined
  /** When the broker has read what was in flight, wall clock. */
  readonly startedAtMs: () => number
  /** Where the log ended then, physical. */
  readonly startedAtOffset: () => number
}

/** Acknowledgements that a batch may hold. */
export const maxBatchAcks = 4096

/**
 * 200051, 200151 and 200053. An acknowledgement is answered with 0 when it lies in the log as the flush mode demands, or when
 * there is nothing to acknowledge any more; a message that was acknowledged so is not delivered again.
 */
export class AckHandler {
  private readonly parts: AckParts
  private readonly entry: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]

  constructor(parts: AckParts) {
    this.parts = parts
  }

  handle(view: AckView, token: ReplyToken): void {
    const info = parseExtraInfo(view.extraInfo)
    const isChange = view.code === changeMessageInvisibleTime.code
    const stop = this.check(view, isChange)
    if (stop !== undefined) token.answer(stop.code, undefined, { remark: stop.remark })
    else if (info === undefined)
      token.answer(ResponseCode.systemError, undefined, { remark: 'extraInfo is none: POP_CK of a message is wanted' })
    else if (isChange) this.change(view, info, token)
    else if (info.reviveQid === orderReviveQueue) {
      const stopped = this.ackInOrder(placeOf(view), view.offset, { popTime: info.popTime, who: token.connection.peer })
      token.answer(stopped?.code ?? ResponseCode.success, undefined, { remark: stopped?.remark })
    } else this.ack(view, info, token)
  }

  private check({ topic: name, queueId, offset }: AckView, isChange: boolean): PullStop | undefined {
    const { topic: find, store, refusal } = this.parts
    if (refusal !== undefined) return refusal
    const topic = find(name)
    if (topic === undefined) return { code: ResponseCode.topicNotExist, remark: `topic ${name} does not exist here` }
    if (queueId < 0 || queueId >= topic.readQueueNums) {
      const remark = `queueId ${queueId} is out of range: ${name} has ${topic.readQueueNums} read queues`
      return { code: ResponseCode.messageIllegal, remark }
    }
    const [min, max] = [store.minOffset(name, queueId), store.maxOffset(name, queueId)]
    if (offset >= min && (offset < max || (offset === max && !isChange))) return undefined
    const remark = `offset ${offset} is none of queue ${queueId} of ${name}, which has ${min} to ${max}`
    return { code: ResponseCode.noMessage, remark }
  }

  private ack(view: AckView, info: ExtraInfo, token: ReplyToken): void {
    const point = this.pointOf(view, info)
    const bit = point?.bitOf(view.offset) ?? 0
    if (point === undefined || (point.settled & bit) === bit) {
      if (point !== undefined || !this.isLost(info)) token.answer(ResponseCode.success)
      else token.answer(ResponseCode.noMessage, undefined, { remark: lost })
      return
    }
    this.settle(point, bit, result => {
      if (result.status === 'ok') token.answer(ResponseCode.success)
      else token.answer(codeOfPut[result.status], undefined, { remark: result.remark || result.status })
    })
  }

  /**
   * A pop from before this start that is not in memory, though its time is not over: all of it is acknowledged, or the log
   * was cut before it, and then its messages come again. Nobody knows, so nothing is said to be acknowledged.
   */
  private isLost({ popTime, invisibleTime }: { popTime: number; invisibleTime: number }): boolean {
    return popTime < this.parts.startedAtMs() && popTime + invisibleTime > this.parts.clock.now()
  }

  private pointOf({ topic, consumerGroup: group, queueId }: AckView, { startOffset, popTime }: ExtraInfo) {
    return this.parts.points.find({ topic, group, queueId, startOffset, popTime })
  }

  /** `told` once. While the log has not answered, the messages are not revived. */
  private settle(point: CheckPoint, bits: number, told: (result: PutResult) => void): void {
    const { journal, points, positions } = this.parts
    const mine = bits & ~point.pending
    point.pending |= bits
    journal.ack(point, point.offsetsOf(bits), {
      stored: result => {
        point.pending &= ~mine
        if (result.isStored) {
          points.settle(point, bits)
          positions.touch()
        }
        told(result)
      },
    })
  }

  /** Why not; undefined where it is done, or was before. */
  private ackInOrder(
    place: OrderPlace,
    offset: number,
    { popTime, who }: { popTime: number; who: string },
  ): PullStop | undefined {
    const { offsets, orders, wakes, store } = this.parts
    const { topic, group, queueId } = place
    const before = offsets.find(group, topic, queueId)
    if (before !== undefined && offset < before) return undefined
    // What comes there yet is another message.
    if (offset >= store.maxOffset(topic, queueId) || this.isAnother(place, offset, popTime))
      return { code: ResponseCode.noMessage, remark: `${lost} (offset ${offset} of queue ${queueId} of ${topic})` }
    const acked = orders.ack(place, offset, popTime)
    if (acked === 'of another pop') return undefined
    if (acked === 'not of this pop') {
      const remark = `offset ${offset} of queue ${queueId} of ${topic} is none of what ${group} took last`
      return { code: ResponseCode.messageIllegal, remark }
    }
    offsets.commit({ group, topic, queueId, offset: acked.next, who })
    wakes.at(place, orders.freeAt(place, undefined))
    return undefined
  }

  /** The log was cut before the message that was popped, which another one has got the place of since this start. */
  private isAnother({ topic, queueId }: OrderPlace, offset: number, popTime: number): boolean {
    const { store, startedAtMs, startedAtOffset } = this.parts
    if (popTime >= startedAtMs()) return false
    try {
      const isThere = store.queue(topic, queueId)?.entries(offset, this.entry) === 1
      return isThere && this.entry[0]!.physicalOffset >= startedAtOffset()
    } catch (error) {
      // Nothing new lies at a bad place of the disk: what was written since can be read.
      if (!isBadPlace(error)) throw error
      return false
    }
  }

  private change(view: AckView, info: ExtraInfo, token: ReplyToken): void {
    const { invisibleTime } = view
    if (invisibleTime < 0 || invisibleTime > maxInvisibleMs) {
      const remark = `invisibleTime is ${invisibleTime}: 0 to ${maxInvisibleMs} ms are possible`
      token.answer(ResponseCode.invalidParameter, undefined, { remark })
    } else if (info.reviveQid === orderReviveQueue) this.changeInOrder(view, info, token)
    else this.changePoint(view, info, token)
  }

  private changeInOrder(view: AckView, { popTime, reviveQid }: ExtraInfo, token: ReplyToken): void {
    const { orders, offsets, clock, wakes } = this.parts
    const { topic, consumerGroup, queueId, offset, invisibleTime } = view
    const before = offsets.find(consumerGroup, topic, queueId)
    const visibleAtMs = clock.now() + invisibleTime
    if (before === undefined || offset >= before) orders.change(placeOf(view), offset, { popTime, visibleAtMs })
    // It may be sooner than those who are held know of.
    wakes.at(placeOf(view), orders.freeAt(placeOf(view), undefined))
    token.answer(ResponseCode.success, changed({ popTime, invisibleTime: visibleAtMs - popTime, reviveQid }))
  }

  /** A check point of its own for the message, and behind it the acknowledgement of the former. */
  private changePoint(view: AckView, info: ExtraInfo, token: ReplyToken): void {
    const { points, journal, clock } = this.parts
    const { topic, consumerGroup: group, queueId, offset: startOffset, invisibleTime } = view
    const before = this.pointOf(view, info)
    const bit = before?.bitOf(startOffset) ?? 0
    if (before === undefined || bit === 0 || ((before.settled | before.pending) & bit) !== 0) {
      const remark = `offset ${startOffset} of queue ${queueId} of ${topic} is settled, or its invisible time is over`
      token.answer(ResponseCode.noMessage, undefined, { remark })
      return
    }
    // Messages that were popped together have one check point, and each change makes one of its own.
    if (!points.hasRoom && before.offsetsWithout(before.settled | before.pending).length > 1) {
      const remark =
        'too much is popped at the moment (maxPopCheckPointBytes): the message comes again at its former time'
      token.answer(ResponseCode.systemBusy, undefined, { remark })
      return
    }
    const { reviveQid, brokerName } = before
    let popTime = clock.now()
    while (points.has(keyOf({ topic, group, queueId, startOffset, popTime }))) popTime++
    const names = { topic, group, queueId, startOffset, popTime }
    const point = new CheckPoint({ ...names, invisibleTime, reviveQid, brokerName, diffs: [0] })
    let refused: string | undefined
    points.comes(point)
    journal.checkPoint(point, {
      stored: result => {
        if (!result.isStored) {
          points.comesNot(point)
          refused = result.remark || result.status
          return
        }
        point.place = result.queueOffset
        point.recordedAt = result.physicalOffset
        points.add(point)
      },
    })
    // Told before it returned: acknowledged without it, the message would be lost.
    if (refused !== undefined) token.answer(ResponseCode.systemBusy, undefined, { remark: refused })
    else
      this.settle(before, bit, result => {
        if (result.status === 'ok') token.answer(ResponseCode.success, changed({ popTime, invisibleTime, reviveQid }))
        else token.answer(codeOfPut[result.status], undefined, { remark: result.remark || result.status })
      })
  }

  /** 200151. Each entry by itself; one that cannot be stored has the whole refused, and may be sent again. */
  async batch({ acks }: BatchAck, who: string): Promise<Reply<Record<string, never>>> {
    const { refusal } = this.parts
    if (refusal !== undefined) return refuse(refusal.code, refusal.remark)
    if (acks.length === 0) return refuse(ResponseCode.noMessage, 'the batch has no acknowledgement')
    if (acks.length > maxBatchAcks)
      return refuse(
        ResponseCode.invalidParameter,
        `the batch has ${acks.length} entries, at most ${maxBatchAcks} are taken`,
      )
    const results = await Promise.all(acks.map(ack => this.batchEntry(ack, who)))
    return results.find(result => result !== undefined) ?? ok({})
  }

  /** Asked for what was taken, not for what is set: bits are as many as a peer likes. */
  private batchInOrder(place: OrderPlace, { startOffset, popTime, bitmap, who }: OrderBatch): void {
    const { orders, store, topic: find } = this.parts
    const { topic, queueId } = place
    if (queueId < 0 || queueId >= (find(topic)?.readQueueNums ?? 0)) return
    const taken = orders.takenOf(place)
    const end = store.maxOffset(topic, queueId) - startOffset
    // Nothing is known of a queue after a restart that lost it: the group goes on behind the last one.
    const offsets = taken ?? [startOffset + lastBit(bitmap, end)]
    for (const offset of offsets)
      if (hasBit(bitmap, offset - startOffset)) this.ackInOrder(place, offset, { popTime, who })
  }

  private batchEntry(
    ack: BatchAck['acks'][number],
    who: string,
  ): Promise<ReturnType<typeof refuse> | undefined> | undefined {
    const { points } = this.parts
    const { c: group, q: queueId, so: startOffset, pt: popTime } = ack
    const topic = topicOfMark(ack.r, ack.t, group)
    if (topic === undefined) return undefined
    const bitmap = Buffer.from(ack.b, 'base64')
    if (ack.rq === orderReviveQueue) {
      this.batchInOrder({ topic, group, queueId }, { startOffset, popTime, bitmap, who })
      return undefined
    }
    const point = points.find({ topic, group, queueId, startOffset, popTime })
    if (point === undefined)
      return this.isLost({ popTime, invisibleTime: ack.it })
        ? Promise.resolve(refuse(ResponseCode.noMessage, lost))
        : undefined
    const bits = point.bitsWhere(diff => hasBit(bitmap, diff)) & ~point.settled
    if (bits === 0) return undefined
    return new Promise(resolve => {
      this.settle(point, bits, ({ status, remark }) =>
        resolve(status === 'ok' ? undefined : refuse(ResponseCode.systemError, remark || status)),
      )
    })
  }
}

interface OrderBatch {
  readonly startOffset: number
  readonly popTime: number
  readonly bitmap: Uint8Array
  readonly who: string
}

const lost = 'this pop is not known since the broker was started: its messages are settled, or come again'

/** Bits of a batch are bytes, of which the first has the least eight. */
const hasBit = (bitmap: Uint8Array, distance: number): boolean =>
  distance >= 0 && ((bitmap[Math.floor(distance / 8)] ?? 0) & (1 << (distance % 8))) !== 0

/** The greatest bit that is set and lies below `end`; -1 where there is none. */
function lastBit(bitmap: Uint8Array, end: number): number {
  for (let at = Math.min(bitmap.length * 8, end) - 1; at >= 0; at--) {
    if (bitmap[at >> 3] === 0) at -= at & 7
    else if (hasBit(bitmap, at)) return at
  }
  return -1
}

const placeOf = ({ topic, consumerGroup, queueId }: AckView): OrderPlace => ({ topic, group: consumerGroup, queueId })

const changed = (fields: { popTime: number; invisibleTime: number; reviveQid: number }): FieldsHeader =>
  new FieldsHeader({
    popTime: String(fields.popTime),
    invisibleTime: String(fields.invisibleTime),
    reviveQid: String(fields.reviveQid),
  })
