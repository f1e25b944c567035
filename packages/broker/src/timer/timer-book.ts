import { wheelTimerTopic } from '@skua-mq/protocol'
import { type Clock, type Disk, defineEvent, type Events, every, isBadPlace, type Timer } from '@skua-mq/runtime'
import {
  type MessageStore,
  maxChangedPages,
  noTimerCheckpoint,
  TimerCheckFile,
  type TimerCheckpoint,
  TimerLog,
  type TimerSlot,
  type TimerUnit,
  TimerWheel,
  timerSlotsAhead,
} from '@skua-mq/store'
import { LastingCause } from '../house/lasting-cause.ts'
import { BookFiles } from './book-files.ts'
import { BookRecovery } from './book-recovery.ts'
import { HeldTimers } from './held-timers.ts'
import { countOf, placeMark } from './slot-schedule.ts'

/** Told once for one cause. */
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
  readonly store: Pick<
    MessageStore,
    'sync' | 'readRecord' | 'queue' | 'minOffset' | 'maxOffset' | 'minPhysicalOffset' | 'maxPhysicalOffset'
  >
  /** The directory of the store. */
  readonly root: string
  readonly precisionMs: number
  /** timerFlushIntervalMs */
  readonly flushMs: number
  /** mappedFileSizeTimerLog */
  readonly fileBytes: number
  /** Told where a file could not be looked at. */
  readonly failed?: (error: unknown) => void
}

/**
 * What a slave, or a start without files, finds in the queue counts as delivered when its slot was over so long before the
 * last check point: rather delivered twice than never.
 */
export const doubtMs = 5000

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
  /** ... and by how much, since a check point is not of this moment. */
  doubtMs = doubtMs
  /** Slots from here on hold nothing that is done. */
  emptiedFromMs = 0
  private readonly parts: TimerBookParts
  private readonly wheel: TimerWheel
  private readonly log: TimerLog
  private readonly held: HeldTimers
  private readonly file: TimerCheckFile
  private check: TimerCheckpoint | undefined
  /** The files are made again from the beginning of the topic. */
  isAnew = false
  private isOpen = false
  private isChanged = false
  /** What is left of a slot is being put behind all others. */
  private isMoving = false
  /** Files of the timer log before this place are going, or gone; and what is known of it on the medium. */
  private removedTo = 0
  private savedRemovedTo = 0
  private readonly notSavedFor = new LastingCause()
  private readonly notCleanedFor = new LastingCause()
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
    this.held = new HeldTimers(parts)
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
    const files = new BookFiles({
      wheel: this.wheel,
      log: this.log,
      file: this.file,
      check,
      precisionMs: this.parts.precisionMs,
    })
    const why = files.whyNotWhole() ?? (await this.whyNotReadable(files))
    if (why === undefined) return
    this.isAnew = true
    this.queueOffset = store.minOffset(wheelTimerTopic, 0)
    if (check !== undefined) await this.beginAnew(check, why)
    else if (store.maxOffset(wheelTimerTopic, 0) > this.queueOffset) this.parts.events.emit(timersRebuilt({ why }))
  }

  /** Whether a file is one that follows from the timer's topic. */
  isOwnFile(path: string): boolean {
    const { root } = this.parts
    return path === `${root}/timerwheel` || path.startsWith(`${root}/timerlog`)
  }

  /** Where the first message lies in the commit log that waits, or is not taken up; infinite where none is. */
  heldFrom(): number {
    return this.held.from(this.queueOffset, this.isOpen)
  }

  /** Whether a unit of this position is in a file that is there: older ones went with their messages. */
  mayHold(position: number): boolean {
    return position >= this.log.begin
  }

  /**
   * Makes wheel and log again from the timer's topic, as at a start that finds them lost. While this runs nobody takes a timer up,
   * and none is on its way. Throws what the disk, or the commit log, refuses; then all is as it was.
   */
  async rebuild(why: string): Promise<void> {
    const { store, clock, events, disk, root } = this.parts
    const wasOpen = this.isOpen
    // Nothing is written while the files go.
    this.isOpen = false
    const { readMs, queueOffset } = this
    let check: TimerCheckpoint
    try {
      await this.cleaning
      await this.saving
      const isSynced = await store.sync()
      if (!isSynced) throw new Error('the commit log could not be synced')
      const known = Math.max(queueOffset, this.rebuildBelow)
      const masterQueueOffset = Math.min(known, this.late?.from ?? Number.POSITIVE_INFINITY)
      const counter = (this.check?.counter ?? 0) + 1
      check = { ...noTimerCheckpoint, readMs, masterQueueOffset, timestamp: clock.now(), counter }
      // It says so first: what lies in the new log at the old places is something else.
      await this.file.save(check)
    } catch (error) {
      this.isOpen = wasOpen
      throw error
    }
    this.check = check
    this.rebuildBelow = check.masterQueueOffset
    this.queueOffset = store.minOffset(wheelTimerTopic, 0)
    this.doneBeforeMs = readMs
    // Nothing has been lost of what is known: slots before this time are done.
    this.doubtMs = 0
    this.count = 0
    this.removedTo = this.savedRemovedTo = 0
    this.held.restart()
    this.wheel.close()
    events.emit(timersRebuilt({ why }))
    try {
      disk.remove(`${root}/timerwheel`)
      this.log.truncate(0)
    } catch {
      // The first one that comes does it again.
    }
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

  /** The timers of a slot lie elsewhere now. */
  vacate(slotMs: number): void {
    this.count -= this.slot(slotMs)?.count ?? 0
    this.wheel.clear(slotMs)
    this.isChanged = true
  }

  /** The clock was set back: slots from here on are used again. */
  turnBack(readMs: number): void {
    this.readMs = readMs
    this.isChanged = true
  }

  /**
   * Of a slot that is done in part only these are left, while nothing else is added. They come in pieces, and nothing is saved until
   * the last one is there: a slot with half of them would be all that a start finds. Throws DiskError.
   */
  async keepOnly(slotMs: number, pieces: AsyncIterable<readonly TimerUnit[]>): Promise<void> {
    const slot = this.slot(slotMs)
    if (slot === undefined) return
    const { lastPosition } = this.log
    const newest = lastPosition === undefined ? undefined : await this.reader().unit(lastPosition)
    await this.saving
    this.isMoving = true
    const { count } = this
    this.count -= slot.count
    this.wheel.clear(slotMs)
    // Also where none is left: a start that found the slot as it was would deliver all of it again.
    this.isChanged = true
    let last: TimerUnit | undefined
    try {
      for await (const units of pieces)
        for (const unit of units) {
          this.add({ ...unit })
          last = unit
        }
      // A start takes those before for all that is left only where it finds this behind them.
      if (last !== undefined && newest !== undefined) this.add(placeMark(newest, slotMs, last.writtenAtMs))
    } catch (error) {
      // Rather twice than never.
      this.wheel.put(slot)
      this.count = count
      throw error
    } finally {
      this.isMoving = false
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
    if (!this.isOpen || !this.isChanged || this.isMoving) return true
    const { store, clock, events } = this.parts
    const { wheel, log } = this
    this.isChanged = false
    let snapshot: ReturnType<TimerWheel['snapshot']> | undefined
    try {
      log.write()
      const { readMs, queueOffset, removedTo } = this
      const note = { waiting: this.count, logBegin: Math.max(log.begin, removedTo) }
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
      await this.file.save(check, note)
      this.check = check
      this.savedRemovedTo = removedTo
      this.notSavedFor.ended()
      return true
    } catch (error) {
      if (snapshot !== undefined) wheel.giveBack(snapshot)
      this.isChanged = true
      if (this.notSavedFor.isNew((error as Error).message)) events.emit(timersNotSaved({ error }))
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
    try {
      await this.log.removeBefore(limits, begin => this.announce(begin))
      await this.held.look(this.log, { readMs: () => this.readMs, queueOffset: this.queueOffset })
      this.notCleanedFor.ended()
    } catch (error) {
      this.parts.failed?.(error)
      if (this.notCleanedFor.isNew((error as Error).message)) events.emit(timersNotSaved({ error }))
    }
  }

  /** A start must not take it for lost. Returns whether it is on the medium. */
  private async announce(begin: number): Promise<boolean> {
    this.removedTo = begin
    // One that is under way does not say it yet.
    await this.saving
    this.isChanged = true
    await this.save()
    return this.savedRemovedTo >= begin
  }

  /** The check point says so first: what lies in the new log at the old places is something else. */
  private async beginAnew(check: TimerCheckpoint, why: string): Promise<void> {
    const { disk, events, root } = this.parts
    if (this.rebuildBelow > this.queueOffset) events.emit(timersRebuilt({ why }))
    this.check = { ...check, logFlushed: 0, queueOffset: 0, masterQueueOffset: this.rebuildBelow }
    await this.file.save(this.check)
    disk.remove(`${root}/timerwheel`)
    this.log.truncate(0)
  }

  private openNew(): void {
    if (this.isOpen) return
    this.log.truncate(0)
    this.wheel.open({ isNew: true })
    this.isOpen = true
  }

  /** Opens the files, and repairs them; a place of them that the disk does not give must not refuse the start. */
  private async whyNotReadable(files: BookFiles): Promise<string | undefined> {
    try {
      const why = await files.whyAnother()
      if (why !== undefined) return why
      this.isOpen = true
      await this.recover(this.check!)
      if (this.count >= (this.file.waiting ?? 0)) return undefined
      return this.closed('the timerwheel has lost timers that waited, and the timer log lacks them')
    } catch (error) {
      if (!isBadPlace(error) || !this.isOwnFile(error.path)) throw error
      return this.closed(error.message)
    }
  }

  private closed(why: string): string {
    this.isOpen = this.isChanged = false
    this.count = 0
    this.wheel.close()
    return why
  }

  private async recover(check: TimerCheckpoint): Promise<void> {
    const { wheel, log } = this
    const { isOwn, waiting } = this.file
    const { count, queueOffset, readMs, emptiedFromMs, units, slots } = await new BookRecovery({
      ...{ ...this.parts, wheel, log, check, readMs: this.readMs, isOwn, waiting },
    }).run()
    this.count = count
    this.readMs = readMs
    this.queueOffset = queueOffset
    this.emptiedFromMs = emptiedFromMs
    if (units + slots === 0) return
    this.isChanged = true
    this.parts.events.emit(timersRecovered({ units, slots, queueOffset }))
  }
}
