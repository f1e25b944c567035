import {
  type getTimers,
  type HeaderOf,
  PropertyName,
  readRecord,
  reviveTopicPrefix,
  type StoredMessage,
  type WaitingTimer,
} from '@skua-mq/protocol'
import { type MessageStore, type TimerUnit, timerSlotsAhead } from '@skua-mq/store'
import { dueOf, isPlaceMark, isRecall, isRoll } from './slot-schedule.ts'
import { slotUnits } from './slot-units.ts'
import type { TimerBook } from './timer-book.ts'
import { deliverAtOf } from './timer-wish.ts'

type Header = HeaderOf<typeof getTimers>

/** What one answer takes at most; the next one goes on. */
export const timerListShare = {
  timers: 1000,
  /** Units of the timer log that are looked at. */
  units: 20_000,
  /** Bytes of messages that are read from the log: their properties lie behind their bodies. */
  bytes: 16 * 1024 * 1024,
}

export interface TimerListParts {
  readonly store: Pick<MessageStore, 'readRecord'>
  readonly book: Pick<TimerBook, 'readMs' | 'size' | 'floor' | 'slot' | 'firstFilled' | 'reader'>
  readonly precisionMs: number
}

/** Where a list goes on: with a unit of a slot, or with the newest one of it. */
interface Place {
  readonly slotMs: number
  readonly position?: number
}

function placeOf(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return { slotMs: 0 }
  const [, slotMs, position] = /^(\d{1,15}):(\d{1,15})$/.exec(cursor) ?? []
  return slotMs === undefined ? undefined : { slotMs: Number(slotMs), position: Number(position) }
}

/** What one answer says. */
export interface TimerPage {
  readonly timers: WaitingTimer[]
  readonly recalled: { readonly key: string; readonly slotMs: number }[]
  readonly unreadable: number[]
  readonly waiting: number
  readonly cursor: string | undefined
}

/** Messages that wait for their times, page by page. It reads beside the delivery and changes nothing. */
export class TimerList {
  private readonly parts: TimerListParts

  constructor(parts: TimerListParts) {
    this.parts = parts
  }

  /** Undefined for a cursor that is none. */
  async page(header: Header): Promise<TimerPage | undefined> {
    const place = placeOf(header.cursor)
    return place && new Page(this.parts, header).read(place)
  }
}

class Page {
  private readonly parts: TimerListParts
  private readonly header: Header
  private readonly result: TimerPage
  private readonly limit: number
  private units = 0
  private bytes = 0

  constructor(parts: TimerListParts, header: Header) {
    this.parts = parts
    this.header = header
    this.limit = Math.min(Math.max(1, header.limit), timerListShare.timers)
    this.result = { timers: [], recalled: [], unreadable: [], waiting: parts.book.size, cursor: undefined }
  }

  async read({ slotMs: from, position }: Place): Promise<TimerPage> {
    const { book, precisionMs } = this.parts
    const begunMs = Math.max(book.readMs, from)
    // A message is never delivered before its slot; one that waits on comes later than it.
    const wantedMs =
      this.header.toMs === undefined ? Number.POSITIVE_INFINITY : book.floor(this.header.toMs) + precisionMs
    const endMs = Math.min(wantedMs, book.readMs + 2 * timerSlotsAhead * precisionMs)
    let start = from === begunMs ? position : undefined
    for (let slotMs = book.firstFilled(begunMs, endMs); slotMs < endMs; ) {
      const at = await this.slot(slotMs, start)
      if (at !== undefined) return { ...this.result, cursor: `${slotMs}:${at}` }
      start = undefined
      slotMs = book.firstFilled(Math.max(slotMs + precisionMs, book.readMs), Math.max(endMs, book.readMs))
    }
    return this.result
  }

  /** Reads a slot, newest first; where the answer is full, the position that is next. */
  private async slot(slotMs: number, start: number | undefined): Promise<number | undefined> {
    for await (const { unit, position } of slotUnits(this.parts.book, slotMs, start)) {
      if (this.isFull) return position
      this.units++
      await this.take(unit)
    }
    return undefined
  }

  private get isFull(): boolean {
    const { timers, recalled } = this.result
    return (
      timers.length >= this.limit ||
      recalled.length >= timerListShare.timers ||
      this.units >= timerListShare.units ||
      this.bytes >= timerListShare.bytes
    )
  }

  private async take(unit: TimerUnit): Promise<void> {
    if (isPlaceMark(unit) || this.isTooEarly(unit)) return
    const message = await this.messageOf(unit)
    if (message === undefined) {
      this.result.unreadable.push(unit.physicalOffset)
      return
    }
    const find = (name: string) => message.properties.get(name)
    const slotMs = Number(find(PropertyName.timerOutMs) ?? unit.slotMs)
    const key = find(PropertyName.timerDelUniqueKey)
    if (key !== undefined) {
      this.result.recalled.push({ key, slotMs })
      return
    }
    const topic = find(PropertyName.realTopic) ?? ''
    // Check points of pops, which are nobody's messages.
    if (topic.startsWith(reviveTopicPrefix)) return
    const told = deliverAtOf(find, message.storeTimestamp)
    const timer: WaitingTimer = {
      topic,
      msgId: find(PropertyName.uniqueKey) ?? '',
      keys: find(PropertyName.keys) ?? '',
      tags: find(PropertyName.tags),
      deliverAtMs: Number.isNaN(told) ? dueOf(unit, this.parts.precisionMs) : told,
      slotMs,
      bornAtMs: message.bornTimestamp,
      storedAtMs: message.storeTimestamp,
      physicalOffset: unit.physicalOffset,
      storeSize: unit.size,
    }
    if (this.isWanted(timer)) this.result.timers.push(timer)
  }

  /** Without a look at its message. */
  private isTooEarly(unit: TimerUnit): boolean {
    const { fromMs } = this.header
    if (fromMs === undefined || isRoll(unit) || isRecall(unit)) return false
    return unit.slotMs + this.parts.precisionMs < fromMs
  }

  private async messageOf({ physicalOffset, size }: TimerUnit): Promise<StoredMessage | undefined> {
    this.bytes += size
    try {
      const record = await this.parts.store.readRecord(physicalOffset)
      return record && readRecord(record)?.message
    } catch {
      // The answer names its place.
      return undefined
    }
  }

  private isWanted({ topic, msgId, keys, deliverAtMs }: WaitingTimer): boolean {
    const { topic: wanted, key, fromMs, toMs } = this.header
    if (wanted !== undefined && topic !== wanted) return false
    if (key !== undefined && msgId !== key && !keys.split(' ').includes(key)) return false
    return deliverAtMs >= (fromMs ?? 0) && deliverAtMs < (toMs ?? Number.POSITIVE_INFINITY)
  }
}
