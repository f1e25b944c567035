import { layOutRecord, RecordAt, RecordLayout, readLong, wheelTimerTopic } from '@skua-mq/protocol'
import { type Clock, type Disk, defineEvent, type Events, every, type Timer } from '@skua-mq/runtime'
import {
  type MessageStore,
  maxChangedPages,
  TimerCheckFile,
  type TimerCheckpoint,
  TimerLog,
  type TimerSlot,
  type TimerUnit,
  TimerWheel,
  timerSlotsAhead,
  timerUnitBytes,
} from '@skua-mq/store'
import { countOf, isPlaceMark, placeMark } from './slot-schedule.ts'

export const timersNotSaved = defineEvent<{ error: unknown }>('timers not saved', 'error')
export const timersRecovered = defineEvent<{ units: number; slots: number; queueOffset: number }>(
  'timer files repaired',
  'info',
)
export const timersRebuilt = defineEvent<{ why: string }>('timer files are made again from the timer topic', 'warn')

export interface TimerBookParts {
  readonly clock: Clock
  readonly disk: Disk
  readonly events: Events
  readonly store: Pick<MessageStore, 'sync' | 'readRecord' | 'minOffset' | 'maxOffset' | 'minPhysicalOffset'>
  /** The directory of the store. */
  readonly root: string
  readonly precisionMs: number
  /** timerFlushIntervalMs */
  readonly flushMs: number
  /** mappedFileSizeTimerLog */
  readonly fileBytes: number
}

/** So far back slots can be used again when the clock is set back: those that RocketMQ has left behind are cleared. */
const againMs = 86_400_000

const unreadable = Buffer.alloc(0)

/** Between two looks for files of the timer log that are over. */
const cleanMs = 30_000

/**
 * What is on disk of the timers: wheel, log and check point. All that changes is in memory first and goes to the medium every
 * `flushMs`, in an order that leaves the check point true at any moment: what was delivered, then the log, the wheel, the
 * check point.
 */
export class TimerBook {
  /** All slots before are done. */
  readMs = 0
  /** All messages of the timer's topic before are in the log. */
  queueOffset = 0
  /** Messages before this offset may be done although the files do not know: they are made again. */
  rebuildBelow = 0
  /** ... where their slots were before this time: `readMs` of the start. */
  doneBeforeMs = 0
  /** Slots from here on hold nothing that is done. */
  emptiedFromMs = 0
  private readonly parts: TimerBookParts
  private readonly wheel: TimerWheel
  private readonly log: TimerLog
  private readonly file: TimerCheckFile
  private check: TimerCheckpoint | undefined
  /** The files are made again from the beginning of the topic. */
  isAnew = false
  private isOpen = false
  private isChanged = false
  private saving: Promise<boolean> | undefined
  private cleaning: Promise<void> | undefined
  private timers: Timer[] = []
  private count = 0
  /** The first message that was taken up late, and the last slot in which one lies. */
  private late: { readonly from: number; readonly until: number } | undefined

  constructor(parts: TimerBookParts) {
    const { disk, root, precisionMs, fileBytes } = parts
    this.parts = parts
    this.wheel = new TimerWheel({ disk, path: `${root}/timerwheel`, precisionMs })
    this.log = new TimerLog({ disk, directory: `${root}/timerlog`, fileBytes })
    this.file = new TimerCheckFile(disk, `${root}/config/timercheck`)
  }

  /** Timers that wait, as far as the wheel knows. */
  get size(): number {
    return this.count
  }

  /** The last check point that is on the medium, or was there at the start. */
  get checkpoint(): TimerCheckpoint | undefined {
    return this.check
  }

  /** So much has changed that the next timers wait until it is written. */
  get isFull(): boolean {
    return this.wheel.changedPages >= maxChangedPages
  }

  /** Reads the files, and repairs what a crash has left. Throws DiskError. */
  async open(): Promise<void> {
    const { store } = this.parts
    const check = this.file.load()
    this.check = check
    this.log.load()
    this.readMs = this.floor(check?.readMs ?? this.parts.clock.now())
    this.doneBeforeMs = this.readMs
    this.rebuildBelow = check === undefined ? 0 : this.rebuildBelowOf(check)
    // Some were late when it was written, and are perhaps still.
    if (check !== undefined && this.rebuildBelow < check.queueOffset)
      this.late = { from: this.rebuildBelow, until: this.readMs }
    const why = this.whyNotWhole() ?? (await this.whyNotReadable())
    if (why !== undefined) {
      this.isAnew = true
      this.queueOffset = store.minOffset(wheelTimerTopic, 0)
      if (check !== undefined) await this.beginAnew(check, why)
      return
    }
    this.isOpen = true
    await this.recover(check!)
  }

  /** RocketMQ's says of itself less than what it has done, where it is no master. */
  private rebuildBelowOf({ queueOffset, masterQueueOffset }: TimerCheckpoint): number {
    return this.file.isOwn ? masterQueueOffset : Math.max(queueOffset, masterQueueOffset)
  }

  start(): void {
    const { clock, flushMs } = this.parts
    this.timers = [
      every(clock, flushMs, async () => void (await this.save())),
      every(clock, cleanMs, () => {
        this.cleaning ??= this.clean().finally(() => {
          this.cleaning = undefined
        })
        return this.cleaning
      }),
    ]
  }

  /** Saves for the last time. */
  async stop(): Promise<void> {
    for (const timer of this.timers.splice(0)) timer.cancel()
    // It looks whether this stops before it removes the next file.
    this.log.keepAll()
    await this.cleaning
    await this.saving
    await this.save()
    if (!this.isOpen) return
    this.isOpen = false
    this.log.close()
    this.wheel.close()
  }

  floor(ms: number): number {
    return ms - (ms % this.parts.precisionMs)
  }

  slot(slotMs: number): TimerSlot | undefined {
    return this.isOpen ? this.wheel.slot(slotMs) : undefined
  }

  /** The first slot from `fromMs` on that holds something; `toMs` where none before it does. */
  firstFilled(fromMs: number, toMs: number): number {
    return this.isOpen ? this.wheel.firstFilled(fromMs, toMs) : Math.max(fromMs, toMs)
  }

  /** Whether the slot of a time can be used now: the wheel begins again after 14 days. */
  hasRoomFor(slotMs: number): boolean {
    return this.wheel.hasRoomFor(slotMs, this.readMs)
  }

  /** Puts a timer into its slot; returns its position. `previous` is found here. Throws DiskError. */
  add(unit: TimerUnit): number {
    this.openNew()
    const slot = this.wheel.slot(unit.slotMs)
    unit.previous = slot?.lastPosition ?? -1
    const position = this.log.append(unit)
    const step = countOf(unit)
    this.wheel.put({
      slotMs: unit.slotMs,
      firstPosition: slot?.firstPosition ?? position,
      lastPosition: position,
      count: (slot?.count ?? 0) + step,
    })
    this.count += step
    this.isChanged = true
    return position
  }

  /** Units of the log can be read that were appended up to now. */
  reader() {
    this.log.write()
    return this.log.reader()
  }

  /** What was appended is in the file when it returns. Throws DiskError. */
  write(): void {
    if (this.isOpen) this.log.write()
  }

  /**
   * A message was put into a slot so long after its own that whoever makes the wheel again would take it for delivered: it
   * counts as not delivered until that slot is done.
   */
  tookLate(queueOffset: number, slotMs: number): void {
    const { late } = this
    this.late = {
      from: Math.min(late?.from ?? queueOffset, queueOffset),
      until: Math.max(late?.until ?? slotMs, slotMs),
    }
  }

  /** The messages of the timer's topic before this offset are in the log. */
  tookTo(queueOffset: number): void {
    this.queueOffset = queueOffset
    this.isChanged = true
  }

  /** Slots before this one, from `readMs` on, are over and hold nothing. */
  pass(toMs: number): void {
    this.readMs = toMs
    this.isChanged = true
  }

  /** A slot is done. */
  finish(slotMs: number): void {
    const slot = this.slot(slotMs)
    if (slot !== undefined) {
      this.count -= slot.count
      this.wheel.clear(slotMs)
    }
    this.readMs = slotMs + this.parts.precisionMs
    this.isChanged = true
  }

  /** The clock was set back: slots from here on are used again. */
  turnBack(readMs: number): void {
    this.readMs = readMs
    this.isChanged = true
  }

  /** Of a slot that is done in part only these are left, while nothing else is added. Throws DiskError. */
  async keepOnly(slotMs: number, units: readonly TimerUnit[]): Promise<void> {
    const slot = this.slot(slotMs)
    if (slot === undefined) return
    const { lastPosition } = this.log
    const newest = lastPosition === undefined ? undefined : await this.reader().unit(lastPosition)
    const { count } = this
    this.count -= slot.count
    this.wheel.clear(slotMs)
    // Also where none is left: a start that found the slot as it was would deliver all of it again.
    this.isChanged = true
    try {
      for (const unit of units) this.add({ ...unit })
      const last = units.at(-1)
      // A start takes those before for all that is left only where it finds this behind them.
      if (last !== undefined && newest !== undefined) this.add(placeMark(newest, slotMs, last.writtenAtMs))
    } catch (error) {
      // Rather twice than never.
      this.wheel.put(slot)
      this.count = count
      throw error
    }
  }

  /** On the medium when it resolves; false where it could not be brought there, which is an event. */
  save(): Promise<boolean> {
    this.saving ??= this.saveNow().finally(() => {
      this.saving = undefined
    })
    return this.saving
  }

  private async saveNow(): Promise<boolean> {
    if (!this.isOpen || !this.isChanged) return true
    const { store, clock, events } = this.parts
    const { wheel, log } = this
    this.isChanged = false
    let snapshot: ReturnType<TimerWheel['snapshot']> | undefined
    try {
      log.write()
      const { readMs, queueOffset } = this
      if (this.late !== undefined && readMs > this.late.until) this.late = undefined
      snapshot = wheel.snapshot()
      const check = {
        ...{ readMs, logFlushed: log.end, queueOffset },
        masterQueueOffset: Math.min(
          Math.max(queueOffset, this.rebuildBelow),
          this.late?.from ?? Number.POSITIVE_INFINITY,
        ),
        ...{ stateVersion: 0, timestamp: clock.now(), counter: (this.check?.counter ?? 0) + 1 },
      }
      // What counts as delivered, or lies in the log, must not be on the medium before its message.
      if (!(await store.sync())) throw new Error('the commit log could not be synced')
      await log.sync()
      await wheel.write(snapshot)
      snapshot = undefined
      await this.file.save(check)
      this.check = check
      return true
    } catch (error) {
      if (snapshot !== undefined) wheel.giveBack(snapshot)
      this.isChanged = true
      events.emit(timersNotSaved({ error }))
      return false
    }
  }

  private async clean(): Promise<void> {
    if (!this.isOpen || this.check === undefined) return
    const { store, events, precisionMs } = this.parts
    const limits = {
      minOffset: store.minPhysicalOffset,
      readMs: this.check.readMs,
      reachMs: timerSlotsAhead * precisionMs,
    }
    await this.log.removeBefore(limits).catch(error => events.emit(timersNotSaved({ error })))
  }

  /** The check point says so first: what lies in the new log at the old places is something else. */
  private async beginAnew(check: TimerCheckpoint, why: string): Promise<void> {
    const { disk, events, root } = this.parts
    if (this.rebuildBelow > this.queueOffset) events.emit(timersRebuilt({ why }))
    this.check = { ...check, logFlushed: 0, queueOffset: 0, masterQueueOffset: this.rebuildBelow }
    await this.file.save(this.check)
    this.log.truncate(0)
    disk.remove(`${root}/timerwheel`)
  }

  private openNew(): void {
    if (this.isOpen) return
    this.log.truncate(0)
    this.wheel.open({ isNew: true })
    this.isOpen = true
  }

  private whyNotWhole(): string | undefined {
    if (this.check === undefined) return 'there is no timercheck'
    if (!this.wheel.exists) return 'there is no timerwheel, or of another size'
    const { logFlushed } = this.check
    if (logFlushed > this.log.end || logFlushed < this.log.begin) return 'the timer log lacks units'
    return undefined
  }

  /** Opens the wheel. Its slots are multiples of the precision, and say nothing where that was another one. */
  private async whyNotReadable(): Promise<string | undefined> {
    const { wheel, log } = this
    wheel.open({ isNew: false })
    const reader = log.reader()
    for await (const { slotMs, lastPosition } of wheel.all()) {
      if (lastPosition < log.begin || lastPosition >= this.check!.logFlushed) continue
      const unit = await reader.unit(lastPosition)
      if (unit !== undefined && this.floor(unit.slotMs) === slotMs) return undefined
      wheel.close()
      return 'the timerwheel is of another timerPrecisionMs, or not of this timer log'
    }
    return undefined
  }

  /** Units behind the check point count where their messages are in the log; slots point at no others. */
  private async recover({ logFlushed, queueOffset }: TimerCheckpoint): Promise<void> {
    const { store, events, fileBytes } = this.parts
    let end = logFlushed
    let next = queueOffset
    let units = 0
    const begun = new Set<number>()
    let again: { readonly slotMs: number; readonly position: number; readonly next: number } | undefined
    for await (const { unit, position } of this.log.reader().units(logFlushed, this.log.end, fileBytes)) {
      const offset = await this.offsetOf(unit)
      if (offset === undefined) break
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
    this.log.truncate(end)
    const slots = await this.repoint(end)
    const [min, max] = [store.minOffset(wheelTimerTopic, 0), store.maxOffset(wheelTimerTopic, 0)]
    this.queueOffset = Math.min(Math.max(next, min), max)
    if (units + slots > 0) {
      this.isChanged = true
      events.emit(timersRecovered({ units, slots, queueOffset: this.queueOffset }))
    }
  }

  /** Whether a unit behind the check point begins a chain although its slot has one; `begun`: slots of units before it there. */
  private beginsAgain({ previous, slotMs }: TimerUnit, begun: ReadonlySet<number>): boolean {
    if (previous >= 0 || slotMs < this.readMs) return false
    if (begun.has(slotMs)) return true
    const slot = this.wheel.slot(slotMs)
    return slot !== undefined && slot.lastPosition < this.check!.logFlushed
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
  private async repoint(end: number): Promise<number> {
    const { fileBytes } = this.parts
    const lost = new Map<number, { first: number; last: number; count: number }>()
    const stale: number[] = []
    this.emptiedFromMs = this.readMs - againMs
    let from = end
    for await (const slot of this.wheel.all()) {
      if (slot.slotMs < this.readMs) {
        if (slot.slotMs >= this.emptiedFromMs) stale.push(slot.slotMs)
        continue
      }
      if (slot.lastPosition < end) {
        this.count += slot.count
        continue
      }
      lost.set(slot.slotMs, { first: slot.firstPosition, last: -1, count: 0 })
      from = Math.min(from, Math.max(slot.firstPosition, this.log.begin))
    }
    for (const slotMs of stale) this.wheel.clear(slotMs)
    const known = this.check!.logFlushed
    for await (const { unit, position } of this.log.reader().units(Math.min(from, known), end, fileBytes)) {
      if (unit.slotMs < this.readMs) continue
      const slot = lost.get(unit.slotMs) ?? (position < known ? undefined : this.missing(lost, unit.slotMs, position))
      if (slot === undefined || position < slot.first) continue
      slot.last = position
      slot.count += countOf(unit)
    }
    for (const [slotMs, { first, last, count }] of lost) {
      if (last < 0) this.wheel.clear(slotMs)
      else this.wheel.put({ slotMs, firstPosition: first, lastPosition: last, count })
      this.count += count
    }
    return lost.size
  }

  /** A unit behind the check point, whose slot may not have come to the medium with it. */
  private missing(lost: Map<number, { first: number; last: number; count: number }>, slotMs: number, position: number) {
    const slot = this.wheel.slot(slotMs)
    if (slot !== undefined && slot.lastPosition >= position) return undefined
    const found = { first: slot?.firstPosition ?? position, last: slot?.lastPosition ?? -1, count: slot?.count ?? 0 }
    this.count -= found.count
    lost.set(slotMs, found)
    return found
  }
}
