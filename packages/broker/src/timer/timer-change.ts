import {
  type changeTimer,
  type HeaderOf,
  PropertyName,
  ResponseCode,
  readRecord,
  type StoredMessage,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import { ok, type Refusal, type Reply, refuse } from '@skua-mq/remoting'
import type { MessageStore } from '@skua-mq/store'
import { appendDraft, rewriteRecord } from '../record/rewrite.ts'
import type { TimerEntry } from './feature.ts'
import type { Recall } from './recall.ts'
import { isRecall } from './slot-schedule.ts'
import { slotUnits } from './slot-units.ts'
import type { TimerBook } from './timer-book.ts'
import { timerTarget } from './timer-step.ts'
import { deliverAtOf, outOf, withoutWish } from './timer-wish.ts'

type Header = HeaderOf<typeof changeTimer>

/** Of a message that has waited. */
const notesOfWaiting = [
  PropertyName.timerOutMs,
  PropertyName.timerRollTimes,
  PropertyName.timerEnqueueMs,
  PropertyName.timerDequeueMs,
  PropertyName.realTopic,
  PropertyName.realQueueId,
]

/** Changes that are remembered: the same one is not made again before the wheel shows it. */
const maxRemembered = 10_000

export interface TimerChangeParts {
  readonly store: Pick<MessageStore, 'append' | 'readRecord'>
  readonly book: Pick<TimerBook, 'slot' | 'reader'>
  readonly timerEntry: TimerEntry
  readonly recall: Recall
}

/** A message that waits. */
interface Waiting {
  readonly record: Buffer
  readonly message: StoredMessage
  readonly deliverMs: number
  readonly queueId: number
}

/**
 * 30004: an operator takes a message back whose time has not come, or moves it. It is moved in two steps, in this order: a copy with
 * the new time is stored, then the first one is taken back. Between them a full disk leaves both, and the answer says so.
 */
export class TimerChange {
  private readonly parts: TimerChangeParts
  private readonly made = new Set<string>()

  constructor(parts: TimerChangeParts) {
    this.parts = parts
  }

  async take(header: Header, bornHost: Uint8Array): Promise<Reply<Record<string, never>>> {
    const { recall } = this.parts
    const refused = recall.refusal(header.topic)
    if (refused !== undefined) return refused
    const found = await this.find(header)
    if ('code' in found) return found
    // Nothing is awaited between this look and the note of it.
    const key = `${header.topic}+${header.msgId}@${found.deliverMs}`
    if (this.made.has(key)) return isGone(header)
    this.remember(key)
    const reply = await this.change(header, { found, bornHost })
    if (reply.code !== 0) this.made.delete(key)
    return reply
  }

  private async change(
    { topic, msgId: uniqueKey, deliverAtMs }: Header,
    { found, bornHost }: { found: Waiting; bornHost: Uint8Array },
  ): Promise<Reply<Record<string, never>>> {
    const isMove = deliverAtMs !== undefined
    if (isMove) {
      const refused = await this.store({ topic, deliverAtMs, found })
      if (refused !== undefined) return refused
    }
    const { deliverMs } = found
    const reply = await this.parts.recall.takeBack({ topic, deliverMs, uniqueKey, producerGroup: '' }, bornHost)
    if (reply.code === 0) return ok({})
    const remark = isMove ? `${reply.remark}: it is delivered at both times` : (reply.remark ?? '')
    return refuse(ResponseCode.systemError, remark)
  }

  /** The copy with the new time. */
  private async store({
    topic,
    deliverAtMs,
    found: { record, message, deliverMs, queueId },
  }: {
    topic: string
    deliverAtMs: number
    found: Waiting
  }): Promise<Refusal | undefined> {
    const { store, timerEntry } = this.parts
    const { precisionMs, now } = timerEntry.rules
    if (deliverAtMs > now() && outOf(deliverAtMs, precisionMs) === outOf(deliverMs, precisionMs))
      return refuse(ResponseCode.illegalOperation, `both times lie within timerPrecisionMs, ${precisionMs} ms`)
    const properties = withoutWish(new Map(message.properties))
    for (const name of notesOfWaiting) properties.delete(name)
    properties.set(PropertyName.timerDeliverMs, String(deliverAtMs))
    const place = timerTarget({ topic, queueId }, properties, timerEntry)
    if ('code' in place) return refuse(ResponseCode.illegalOperation, place.remark)
    const draft = rewriteRecord(record, { ...place, properties })
    if (draft === undefined) return refuse(ResponseCode.systemError, 'its record in the log is damaged')
    const { isStored, remark, status } = await appendDraft(store, draft)
    return isStored ? undefined : refuse(ResponseCode.systemError, remark === '' ? status : remark)
  }

  private async find(header: Header): Promise<Waiting | Refusal> {
    const { store, timerEntry } = this.parts
    let record: Buffer | undefined
    try {
      record = await store.readRecord(header.physicalOffset)
    } catch (error) {
      return refuse(ResponseCode.systemError, `it cannot be read: ${(error as Error).message}`)
    }
    const message = record && readRecord(record)?.message
    if (record === undefined || message?.topic !== wheelTimerTopic) return isGone(header)
    const find = (name: string) => message.properties.get(name)
    const isOther = find(PropertyName.realTopic) !== header.topic || find(PropertyName.uniqueKey) !== header.msgId
    if (isOther || find(PropertyName.timerDelUniqueKey) !== undefined) return isGone(header)
    const deliverMs = deliverAtOf(find, message.storeTimestamp)
    const { now, precisionMs } = timerEntry.rules
    const slotMs = outOf(deliverMs, precisionMs)
    // Its slot has begun: it may be on its way.
    if (!(slotMs > now())) return refuse(ResponseCode.illegalOperation, 'its time has come')
    if (await this.isRecalled(slotMs, `${header.topic}+${header.msgId}`)) return isGone(header)
    return { record, message, deliverMs, queueId: Number(find(PropertyName.realQueueId) ?? 0) }
  }

  /** Whether it is taken back already. One that waits beyond the window lies in another slot, and is remembered only. */
  private async isRecalled(slotMs: number, key: string): Promise<boolean> {
    const { book, store } = this.parts
    for await (const { unit } of slotUnits(book, slotMs)) {
      if (!isRecall(unit)) continue
      const record = await store.readRecord(unit.physicalOffset).catch(() => undefined)
      const recalled = record && readRecord(record)?.message.properties.get(PropertyName.timerDelUniqueKey)
      if (recalled === key) return true
    }
    return false
  }

  private remember(key: string): void {
    this.made.add(key)
    if (this.made.size <= maxRemembered) return
    for (const oldest of this.made) {
      this.made.delete(oldest)
      break
    }
  }
}

const isGone = ({ msgId, topic }: Header): Refusal =>
  refuse(
    ResponseCode.noMessage,
    `no message ${msgId} for topic ${topic} waits there: it was delivered, moved or taken back`,
  )
