import { PropertyName, RecordAt, readInt, readRecord } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, type Timer } from '@skua-mq/runtime'
import type { MessageStore, TimerUnit } from '@skua-mq/store'
import { LastingCause } from '../house/lasting-cause.ts'
import type { BookRepair } from './book-repair.ts'
import { bringIntoReach } from './out-of-reach.ts'
import { fetchRecords } from './record-fetch.ts'
import { type DueTimer, dueOf, isPlaceMark, isRecall, SlotSchedule } from './slot-schedule.ts'
import type { TimerBook } from './timer-book.ts'
import type { TimerDelivery } from './timer-delivery.ts'

/** Told once for one cause. */
export const timerSlotUnreadable = defineEvent<{ slotMs: number; remark: string }>(
  'a slot of timers does not read',
  'error',
)

/** What it recalls is delivered. */
export const recallUnreadable = defineEvent<{ physicalOffset: number; slotMs: number; error: string }>(
  'a recall cannot be read',
  'error',
)

/** A timer runs at most so long: a wall clock that is set forward makes timers due which were not. */
const lookAgainMs = 1000
/** After an error. */
const pauseMs = 1000
/** While messages which came before a slot are still taken up: a recall may be among them. */
const intakeMs = 2
/** Empty slots that are passed in one turn. */
const slotsInTurn = 4096

export interface DueSlotsParts {
  readonly clock: Clock
  readonly events: Events
  readonly store: Pick<MessageStore, 'readRecord' | 'readLog' | 'minPhysicalOffset' | 'maxPhysicalOffset'>
  readonly book: TimerBook
  readonly delivery: TimerDelivery
  readonly repair: Pick<BookRepair, 'failed' | 'damaged' | 'isReady'>
  readonly precisionMs: number
  /** How far ahead of now a message lies in its slot at most. */
  readonly windowMs: () => number
  /** Units of a slot that are in memory at once. */
  readonly maxScheduled: number
  /** What came to the timer's topic is in the wheel. */
  readonly isCaughtUp: () => boolean
  /** What was there at the start is in the wheel: a recall may be among it. */
  readonly isReady: () => boolean
  /** timerStopDequeue */
  readonly isStopped: () => boolean
  /** A recall has found no message: it counts for none. */
  readonly recallMissed: (key: string) => void
}

/**
 * Goes from slot to slot. When a slot has begun its timers are delivered one by one, each at its millisecond, and at the
 * end of the slot those that do not say one; the next slot is read while half of this one is left. A slot is done when all
 * that was in it is in the store.
 */
export class DueSlots {
  private readonly parts: DueSlotsParts
  private current: SlotSchedule | undefined
  private next: SlotSchedule | undefined
  private timer: Timer | undefined
  private working: Promise<void> | undefined
  private wanted = false
  /** Slots of the wheel that hold nothing. */
  private readonly empty = { fromMs: 0, toMs: 0 }
  private stopped = true
  private readonly failing = new LastingCause()
  /** After an error of the timer's files, monotonic. */
  private againAtMs = 0

  constructor(parts: DueSlotsParts) {
    this.parts = parts
  }

  start(): void {
    this.stopped = false
    this.wake()
  }

  /** Nothing is taken any more. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.working
  }

  /** When delivery has stopped, too: of a slot that is done in part, what is left stays. Throws DiskError. */
  async settle(): Promise<void> {
    const { current } = this
    if (current?.isBegun === true) await this.parts.book.keepOnly(current.slotMs, this.leftOf(current))
  }

  /** A piece at a time: a slot may have more than memory holds. */
  private async *leftOf(schedule: SlotSchedule): AsyncGenerator<TimerUnit[]> {
    yield schedule.recallUnits
    yield schedule.left().map(({ unit }) => unit)
    schedule.drop()
    for (let piece = schedule.pieces.pop(); piece !== undefined; piece = schedule.pieces.pop())
      yield (await this.unitsOf(schedule, piece)).reverse().map(({ unit }) => unit)
  }

  /** When nothing of it is on its way: what is in memory is of files that are made again. */
  forget(): void {
    this.current = this.next = undefined
    this.empty.fromMs = this.empty.toMs = 0
    this.againAtMs = 0
  }

  /** A timer came into a slot. */
  added(unit: TimerUnit, position: number, recallKey: string | undefined): void {
    const schedule = [this.current, this.next].find(each => each?.slotMs === unit.slotMs)
    if (schedule !== undefined) this.put(schedule, { unit: { ...unit }, position }, recallKey)
    if (schedule === this.current) this.wake()
    this.empty.toMs = Math.min(this.empty.toMs, unit.slotMs)
  }

  wake(): void {
    if (this.stopped) return
    this.wanted = true
    if (this.working !== undefined) return
    this.timer?.cancel()
    this.timer = undefined
    this.working = this.work().finally(() => {
      this.working = undefined
      if (this.wanted) this.wake()
    })
  }

  private async work(): Promise<void> {
    let sleepMs: number | undefined
    try {
      while (this.wanted && !this.stopped) {
        this.wanted = false
        sleepMs = await this.round()
      }
      if (this.parts.clock.monotonic() >= this.againAtMs) this.failing.ended()
    } catch (error) {
      sleepMs = this.failed(error as Error)
    }
    if (sleepMs === undefined || this.stopped) return
    const look = () => {
      this.timer = undefined
      this.wake()
    }
    const slack = sleepMs > intakeMs ? () => this.restMs() : 0
    this.timer = this.parts.clock.after(Math.min(sleepMs, lookAgainMs), look, slack)
  }

  /** Returns when to try again. */
  private failed(error: Error): number {
    const { events, book, clock, repair } = this.parts
    const remark = error.message
    if (this.failing.isNew(remark)) events.emit(timerSlotUnreadable({ slotMs: book.readMs, remark }))
    // One of which nothing is delivered yet is read again.
    if (this.current?.isLoaded !== true) this.current = this.next = undefined
    if (error instanceof DamagedChain) repair.damaged(remark)
    const againMs = repair.failed(error) ?? pauseMs
    this.againAtMs = clock.monotonic() + againMs
    return againMs
  }

  /** For how long nothing is due, as far as it is looked ahead. Asked at each leap: what is known to be empty is not looked at again. */
  private restMs(): number {
    const { clock, book, precisionMs } = this.parts
    const nowMs = clock.now()
    if (this.current !== undefined && this.current.size > 0) return (this.current.firstMs ?? nowMs) - nowMs
    if (book.size === 0) return Number.POSITIVE_INFINITY
    const { empty } = this
    if (book.readMs < empty.fromMs || book.readMs > empty.toMs) empty.fromMs = empty.toMs = book.readMs
    empty.toMs = book.firstFilled(empty.toMs, book.readMs + slotsInTurn * precisionMs)
    return empty.toMs - nowMs
  }

  /** Does what is due; returns when to look again, undefined when somebody wakes. */
  private async round(): Promise<number | undefined> {
    const { clock, book, precisionMs, isStopped, isCaughtUp, isReady } = this.parts
    if (isStopped()) return lookAgainMs
    const waitMs = this.againAtMs - clock.monotonic()
    // Others wake it, and a disk may take seconds to say that it cannot.
    if (waitMs > 0) return waitMs
    // Before what it waits for: the intake waits for it.
    await this.followClock()
    if (this.stopped) return 0
    if (!isReady()) return intakeMs
    if (!this.passEmpty()) return 0
    const slotMs = book.readMs
    const endMs = slotMs + precisionMs
    if (clock.now() < slotMs && !this.isLeft) return slotMs - clock.now()
    const schedule = await this.open(slotMs)
    if (schedule !== this.current || this.stopped) return 0
    // A recall that was taken before the slot began comes before what it recalls.
    if (!schedule.isBegun && !isCaughtUp() && this.nowFor(schedule) < endMs) return intakeMs
    await this.deliver(schedule)
    const nowMs = this.nowFor(schedule)
    if (nowMs >= endMs && schedule.isDone) {
      this.finish(schedule)
      return 0
    }
    this.readAhead(endMs, nowMs)
    // The slot is over when the last one is done, and delivery wakes.
    if (schedule.size === 0 && nowMs >= endMs) return undefined
    const nextMs = Math.min(schedule.firstMs ?? endMs, endMs)
    if (nextMs > nowMs) return nextMs - nowMs
    // What is due and was not taken waits for room, and delivery wakes; or has become due a moment ago.
    return this.parts.delivery.hasRoom ? 0 : undefined
  }

  /** A clock that is set back has left a slot of which some is delivered. */
  private get isLeft(): boolean {
    const { current } = this
    if (current === undefined || this.parts.clock.now() >= current.slotMs) return false
    return current.isBegun || current.undone.size > 0
  }

  /** What is left of a slot that the clock has left comes at once: it is no more than a slot too early. */
  private nowFor({ slotMs }: SlotSchedule): number {
    const { clock, precisionMs } = this.parts
    return this.isLeft ? slotMs + precisionMs : clock.now()
  }

  /** The clock was set back, and the slots not yet: what comes into the wheel now would come too early, or too late. */
  get isClockBack(): boolean {
    const { clock, book, isStopped } = this.parts
    const isBack = !this.stopped && !isStopped() && Math.max(book.floor(clock.now()), book.emptiedFromMs) < book.readMs
    if (isBack) this.wake()
    return isBack
  }

  /** A clock that is set back: what is sent now may be due before the slots that were reached. */
  private async followClock(): Promise<void> {
    const { clock, book, precisionMs, windowMs } = this.parts
    const nowSlot = book.floor(clock.now())
    const to = Math.max(nowSlot, book.emptiedFromMs)
    if (to >= book.readMs || this.current?.isBegun === true || (this.current?.undone.size ?? 0) > 0) return
    this.current = this.next = undefined
    const rollMs = book.floor(to + windowMs())
    const broken = (slotMs: number, position: number) => this.endsAt(slotMs, position)
    if (await bringIntoReach(book, { clock, precisionMs, toMs: to, rollMs, isOver: () => this.stopped, broken }))
      book.turnBack(to)
  }

  /** Passes slots that are over and hold nothing; false where there are more than fit a turn. */
  private passEmpty(): boolean {
    const { clock, book, precisionMs } = this.parts
    const nowMs = clock.now()
    if (this.current !== undefined || nowMs < book.readMs + precisionMs) return true
    const endMs = Math.min(book.floor(nowMs), book.readMs + slotsInTurn * precisionMs)
    let toMs = book.firstFilled(book.readMs, endMs)
    const { next } = this
    if (next !== undefined && next.slotMs < toMs) {
      // What was read ahead may be more than the wheel knows of.
      if (next.size > 0) toMs = next.slotMs
      else this.next = undefined
    }
    if (toMs > book.readMs) book.pass(toMs)
    return toMs < endMs || endMs === book.floor(nowMs)
  }

  private async open(slotMs: number): Promise<SlotSchedule> {
    if (this.current === undefined) {
      this.current = this.next?.slotMs === slotMs ? this.next : this.begin(slotMs)
      this.next = undefined
    }
    const { current } = this
    await current.loading
    return current
  }

  private begin(slotMs: number): SlotSchedule {
    const schedule = new SlotSchedule(slotMs)
    schedule.loading = this.load(schedule)
    // Whoever opens it hears of it.
    schedule.loading.catch(() => {})
    return schedule
  }

  private readAhead(endMs: number, nowMs: number): void {
    if (this.next === undefined && nowMs >= endMs - this.parts.precisionMs / 2) this.next = this.begin(endMs)
  }

  /** Reads the chain of a slot, newest first. What comes into it meanwhile is added by `added`. */
  private async load(schedule: SlotSchedule): Promise<void> {
    const { book, maxScheduled } = this.parts
    const last = book.slot(schedule.slotMs)?.lastPosition ?? -1
    let before = -1
    if (last >= 0) {
      const reader = book.reader()
      let count = 0
      for (let position = last; position >= 0; ) {
        const unit = reader.unitNow(position) ?? (await reader.unit(position))
        if (unit === undefined || unit.slotMs !== schedule.slotMs) {
          this.endsAt(schedule.slotMs, position)
          break
        }
        if (count > 0 && count % maxScheduled === 0) {
          schedule.pieces.push({ from: before < 0 ? last : before, before: position })
          before = position
          // What came since this began lies behind, and in no piece.
          schedule.drop(last)
        }
        count++
        if (isPlaceMark(unit)) {
          // The next stop that needs one writes its own.
        } else if (isRecall(unit)) {
          const key = await this.recallKeyOf(unit)
          if (key !== undefined) this.put(schedule, { unit, position }, key)
        } else this.put(schedule, { unit, position }, undefined)
        position = this.before(unit, position)
      }
    }
    await this.fetch(schedule)
    this.compare(schedule)
    schedule.isLoaded = true
  }

  /** The unit before this one in its chain; -1 where there is none. */
  private before({ slotMs, previous }: TimerUnit, position: number): number {
    if (previous < position) return previous
    this.endsAt(slotMs, previous)
    return -1
  }

  /**
   * Throws where a unit leads to what is not its message, before one of its slot is delivered: of a damaged one the message lies in the
   * timer's topic all the same, and the files that are made again lead there.
   */
  private compare({ slotMs, waiting }: SlotSchedule): void {
    const { repair, store } = this.parts
    if (!repair.isReady) return
    for (const { unit, record } of waiting) {
      const { physicalOffset, size } = unit
      const isOther = record !== undefined && readInt(record, RecordAt.totalSize) !== size
      if (isOther || physicalOffset + size > store.maxPhysicalOffset) throw leadsElsewhere(slotMs, physicalOffset)
    }
  }

  /** A recall that cannot be read is tried again while its slot lasts, and then holds up the others no longer. Throws DiskError. */
  private async recallKeyOf({ physicalOffset, size, slotMs }: TimerUnit): Promise<string | undefined> {
    const { store, clock, precisionMs, events, repair } = this.parts
    let record: Buffer | undefined
    try {
      record = await store.readRecord(physicalOffset)
    } catch (error) {
      if (clock.now() < slotMs + precisionMs) throw error
      events.emit(recallUnreadable({ physicalOffset, slotMs, error: (error as Error).message }))
      return undefined
    }
    if (record?.length !== size && physicalOffset >= store.minPhysicalOffset && repair.isReady)
      throw leadsElsewhere(slotMs, physicalOffset)
    return record && readRecord(record)?.message.properties.get(PropertyName.timerDelUniqueKey)
  }

  /** One that fails is tried again when it is due. */
  private async fetch(schedule: SlotSchedule): Promise<void> {
    await fetchRecords(this.parts.store, schedule.waiting).catch(() => {})
  }

  /** Throws where the rest of a chain is found by making the files again; else the rest is lost. */
  private endsAt(slotMs: number, position: number): void {
    const { book, repair, events } = this.parts
    const what = `the timer log has no unit of it at ${position}`
    // Older ones went with their messages.
    if (book.mayHold(position) && repair.isReady) throw new DamagedChain(what)
    events.emit(timerSlotUnreadable({ slotMs, remark: `${what}: timers before that are lost` }))
  }

  /** The next piece of a slot which has more timers than are held at once. */
  private async readPiece(schedule: SlotSchedule): Promise<void> {
    const found = await this.unitsOf(schedule, schedule.pieces.at(-1)!)
    schedule.pieces.pop()
    for (const each of found) this.put(schedule, each, undefined)
    await this.fetch(schedule)
  }

  /** Those of [from, before), newest first. */
  private async unitsOf(schedule: SlotSchedule, { from, before }: SlotSchedule['pieces'][number]) {
    const reader = this.parts.book.reader()
    const found: { unit: TimerUnit; position: number }[] = []
    for (let position = from; position > before; ) {
      const unit = reader.unitNow(position) ?? (await reader.unit(position))
      if (unit === undefined || unit.slotMs !== schedule.slotMs) {
        this.endsAt(schedule.slotMs, position)
        break
      }
      if (!isRecall(unit)) found.push({ unit, position })
      position = this.before(unit, position)
    }
    return found
  }

  private put(schedule: SlotSchedule, { unit, position }: Omit<DueTimer, 'dueMs'>, key: string | undefined): void {
    if (isRecall(unit)) {
      schedule.recallUnits.push(unit)
      if (key !== undefined) schedule.recall(key)
    } else schedule.add({ unit, position, dueMs: dueOf(unit, this.parts.precisionMs) })
  }

  private async deliver(schedule: SlotSchedule): Promise<void> {
    const { delivery } = this.parts
    for (;;) {
      while (delivery.hasRoom && (schedule.firstMs ?? Number.POSITIVE_INFINITY) <= this.nowFor(schedule))
        delivery.take(schedule.take()!, schedule)
      if (schedule.size > 0 || schedule.pieces.length === 0 || !delivery.hasRoom) return
      await this.readPiece(schedule)
    }
  }

  private finish(schedule: SlotSchedule): void {
    for (const key of schedule.missed()) this.parts.recallMissed(key)
    this.current = undefined
    this.parts.book.finish(schedule.slotMs)
    this.wanted = true
  }
}

/** A chain of the timer log leads to what is no unit of it, or a unit to what is not its message. */
class DamagedChain extends Error {}

const leadsElsewhere = (slotMs: number, physicalOffset: number) =>
  new DamagedChain(`a unit of the slot ${slotMs} leads to ${physicalOffset}, where its message is not`)
