import { layOutRecord, RecordAt, RecordLayout, readLong, wheelTimerTopic } from '@skua-mq/protocol'
import {
  type MessageStore,
  type TimerCheckpoint,
  type TimerLog,
  type TimerUnit,
  type TimerWheel,
  timerUnitBytes,
} from '@skua-mq/store'
import { countOf, isPlaceMark } from './slot-schedule.ts'

export interface BookRecoveryParts {
  readonly store: Pick<MessageStore, 'readRecord' | 'minOffset' | 'maxOffset' | 'minPhysicalOffset'>
  readonly wheel: TimerWheel
  readonly log: TimerLog
  readonly fileBytes: number
  /** What was on the medium at the last moment that is known. */
  readonly check: TimerCheckpoint
  /** All slots before are done. */
  readonly readMs: number
  /** Skua wrote them: no unit is put into a slot before the first one that is not done. */
  readonly isOwn: boolean
  /** How many timers the wheel had at that moment; undefined where that is not known. */
  readonly waiting: number | undefined
}

/** What a start goes on with. */
interface Recovered {
  readonly queueOffset: number
  readonly count: number
  /** All slots before are done. */
  readonly readMs: number
  readonly units: number
  readonly slots: number
  readonly emptiedFromMs: number
}

/**
 * Slots before `readMs` that are cleared at a start, wherever they are. Skua leaves hardly any; RocketMQ leaves all, and of more those
 * of a day are cleared.
 */
const maxLeftBehind = 4096
const againMs = 86_400_000

const unreadable = Buffer.alloc(0)

/** Brings timer log and wheel of a start to one state: what a crash has left of both may be of different moments. */
export class BookRecovery {
  private readonly parts: BookRecoveryParts
  /** Timers that wait. */
  private count = 0
  private readMs: number

  constructor(parts: BookRecoveryParts) {
    this.parts = parts
    this.readMs = parts.readMs
  }

  /** Units behind the check point count where their messages are in the log; slots point at no others. */
  async run(): Promise<Recovered> {
    const { store, fileBytes, log, check, isOwn } = this.parts
    const { logFlushed, queueOffset } = check
    let end = logFlushed
    let next = queueOffset
    let units = 0
    const begun = new Set<number>()
    let again: { readonly slotMs: number; readonly position: number; readonly next: number } | undefined
    for await (const { unit, position } of log.reader().units(logFlushed, log.end, fileBytes)) {
      const offset = await this.offsetOf(unit)
      if (offset === undefined) break
      // The clock was set back since the check point: slots from there on were used again.
      if (isOwn) this.readMs = Math.min(this.readMs, unit.slotMs)
      if (isPlaceMark(unit) && unit.slotMs === again?.slotMs) again = undefined
      else if (again === undefined && this.beginsAgain(unit, begun)) again = { slotMs: unit.slotMs, position, next }
      begun.add(unit.slotMs)
      next = Math.max(next, offset + 1)
      end = position + timerUnitBytes
      units++
    }
    // A stop was putting there what is left of a slot, and has not come to its end: all of it is left.
    if (again !== undefined) {
      end = again.position
      next = again.next
    }
    log.truncate(end, Math.min(end, logFlushed))
    const { slots, emptiedFromMs } = await this.repoint(end)
    const [min, max] = [store.minOffset(wheelTimerTopic, 0), store.maxOffset(wheelTimerTopic, 0)]
    const { count, readMs } = this
    return { queueOffset: Math.min(Math.max(next, min), max), count, readMs, units, slots, emptiedFromMs }
  }

  /** Whether a unit behind the check point begins a chain although its slot has one; `begun`: slots of units before it there. */
  private beginsAgain({ previous, slotMs }: TimerUnit, begun: ReadonlySet<number>): boolean {
    if (previous >= 0 || slotMs < this.readMs) return false
    if (begun.has(slotMs)) return true
    const slot = this.parts.wheel.slot(slotMs)
    return slot !== undefined && slot.lastPosition < this.parts.check.logFlushed
  }

  /** Queue offset of a unit's message; -1 where retention has taken it or the disk does not give it, undefined where it is none. */
  private async offsetOf(unit: TimerUnit): Promise<number | undefined> {
    const { store } = this.parts
    if (unit.physicalOffset < store.minPhysicalOffset) return -1
    const record = await store.readRecord(unit.physicalOffset).catch(() => unreadable)
    if (record === unreadable) return -1
    if (record === undefined || record.length !== unit.size) return undefined
    const layout = new RecordLayout()
    if (!layOutRecord(record, 0, { end: record.length, layout })) return undefined
    return readLong(record, RecordAt.queueOffset)
  }

  /** Slots whose last unit lies behind the end of the log, or units of which the wheel does not know. */
  private async repoint(end: number): Promise<{ slots: number; emptiedFromMs: number }> {
    const { fileBytes, wheel, log } = this.parts
    const { readMs } = this
    const lost = new Map<number, { first: number; last: number; count: number }>()
    const stale: number[] = []
    let from = end
    let found = 0
    for await (const slot of wheel.all()) {
      if (slot.slotMs < readMs) {
        stale.push(slot.slotMs)
        continue
      }
      found += slot.count
      if (slot.lastPosition < end) {
        this.count += slot.count
        continue
      }
      lost.set(slot.slotMs, { first: slot.firstPosition, last: -1, count: 0 })
      from = Math.min(from, Math.max(slot.firstPosition, log.begin))
    }
    const emptiedFromMs = stale.length > maxLeftBehind ? readMs - againMs : 0
    for (const slotMs of stale) if (slotMs >= emptiedFromMs) wheel.clear(slotMs)
    // It may be of another moment, too: but then a slot that has gone with a page of the file is pointed back, rather than never delivered.
    const isWhole = found === (this.parts.waiting ?? found)
    const known = isWhole ? this.parts.check.logFlushed : log.begin
    for await (const { unit, position } of log.reader().units(Math.min(from, known), end, fileBytes)) {
      if (unit.slotMs < readMs) continue
      const slot = lost.get(unit.slotMs) ?? (position < known ? undefined : this.missing(lost, unit.slotMs, position))
      if (slot === undefined || position < slot.first) continue
      slot.last = position
      slot.count += countOf(unit)
    }
    for (const [slotMs, { first, last, count }] of lost) {
      if (last < 0) wheel.clear(slotMs)
      else wheel.put({ slotMs, firstPosition: first, lastPosition: last, count })
      this.count += count
    }
    return { slots: lost.size, emptiedFromMs }
  }

  /** A unit of which the wheel knows nothing: behind the check point its slot may not have come to the medium with it. */
  private missing(lost: Map<number, { first: number; last: number; count: number }>, slotMs: number, position: number) {
    const slot = this.parts.wheel.slot(slotMs)
    if (slot !== undefined && slot.lastPosition >= position) return undefined
    const found = { first: slot?.firstPosition ?? position, last: slot?.lastPosition ?? -1, count: slot?.count ?? 0 }
    this.count -= found.count
    lost.set(slotMs, found)
    return found
  }
}
