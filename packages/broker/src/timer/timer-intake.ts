import {
  javaHash,
  minRecordBytes,
  PropertyName,
  RecordAt,
  RecordLayout,
  readLong,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, isBadPlace, type Timer } from '@skua-mq/runtime'
import { GetRequest, GetResult, type MessageStore, type QueueEntry, TimerMagic, type TimerUnit } from '@skua-mq/store'
import { RecordProperties } from '../filter/record-properties.ts'
import { LastingCause } from '../house/lasting-cause.ts'
import { isSound, statedSize } from '../record/sound-record.ts'
import type { TimerBook } from './timer-book.ts'
import { deliverAtOf } from './timer-wish.ts'

export const timerDropped = defineEvent<{ queueOffset: number; why: string }>('timed message dropped', 'error')
/** Told once for one cause. */
export const timerIntakePaused = defineEvent<{ remark: string }>('timers are not taken up', 'warn')

/** It is tried again later, and stored anew then; told once. */
export const timerNotTaken = defineEvent<{ queueOffset: number; physicalOffset: number; error: string }>(
  'a message of the timer topic cannot be read',
  'error',
)

/** A message that cannot be read keeps those behind it waiting for so long. */
const unreadableMs = 1000
/** After an error, and while the files or the wheel have no room. */
const pauseMs = 100
/** Messages taken up in one turn. */
const turnMessages = 512
/** Longest time between the writing of a unit and its slot. */
const maxReachMs = 2 ** 30

export interface TimerIntakeParts {
  readonly clock: Clock
  readonly events: Events
  readonly store: Pick<MessageStore, 'get' | 'minOffset' | 'maxOffset' | 'queue' | 'readRecord'>
  readonly book: TimerBook
  readonly precisionMs: number
  /** How far ahead of its storing a message lies in its slot at most; one that waits longer is stored again then. */
  readonly windowMs: () => number
  readonly isStopped: () => boolean
  /** The slots have to follow a clock that was set back first. */
  readonly mustWait: () => boolean
  /** A timer was put into its slot; `recallKey`: it recalls that one. */
  readonly added: (unit: TimerUnit, position: number, recallKey: string | undefined) => void
  /** Its message cannot be read now: puts it into a later slot. Throws DiskError. */
  readonly later: (unit: TimerUnit) => void
  readonly counted: (topic: string, step: number) => void
  /** Told where it is tried again. */
  readonly failed: (error: unknown) => void
}

/** Follows the timer's topic and puts what comes there into the wheel. */
export class TimerIntake {
  private readonly parts: TimerIntakeParts
  private readonly request = Object.assign(new GetRequest(), { topic: wheelTimerTopic, queueId: 0 })
  private readonly result = new GetResult()
  private readonly layout = new RecordLayout()
  private readonly properties = new RecordProperties()
  private readonly entry: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  private failing: { readonly queueOffset: number; readonly sinceMs: number } | undefined
  private timer: Timer | undefined
  private working: Promise<void> | undefined
  private stopped = true
  /** When the last message was stored that was taken up. */
  lastStoredAtMs = 0
  /** What was in the topic at the start ends here. */
  private goal = 0
  private lacksRoom = false
  private readonly pausedFor = new LastingCause()

  constructor(parts: TimerIntakeParts) {
    this.parts = parts
    this.request.maxBytes = 1024 * 1024
  }

  start(): void {
    this.stopped = false
    this.goal = this.parts.store.maxOffset(wheelTimerTopic, 0)
    this.wake()
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    this.timer = undefined
    await this.working
  }

  /** Nothing waits in the topic. */
  get isCaughtUp(): boolean {
    const { store, book } = this.parts
    return book.queueOffset >= store.maxOffset(wheelTimerTopic, 0)
  }

  /** What was in the topic at the start is in the wheel, or has to wait until the wheel has turned. */
  get isReady(): boolean {
    return this.lacksRoom || this.parts.isStopped() || this.parts.book.queueOffset >= this.goal
  }

  /** Something has come. */
  wake(): void {
    if (this.stopped || this.working !== undefined || this.timer !== undefined) return
    this.working = this.work()
      .then(
        left => left,
        error => {
          const remark = (error as Error).message
          if (this.pausedFor.isNew(remark)) this.parts.events.emit(timerIntakePaused({ remark }))
          this.parts.failed(error)
          return pauseMs
        },
      )
      .then(againMs => {
        this.working = undefined
        if (this.stopped) return
        // What came while the last round ended.
        if (againMs === undefined) {
          if (!this.isCaughtUp) this.wake()
          return
        }
        this.timer = this.parts.clock.after(againMs, () => {
          this.timer = undefined
          this.wake()
        })
      })
  }

  /** Returns when there is to be another try; undefined when something comes. */
  private async work(): Promise<number | undefined> {
    const { store, book } = this.parts
    let left = turnMessages
    while (!this.stopped) {
      if (this.isCaughtUp) return undefined
      if (this.parts.isStopped() || this.parts.mustWait() || (book.isFull && !(await book.save()))) return pauseMs
      const offset = Math.max(book.queueOffset, store.minOffset(wheelTimerTopic, 0))
      this.request.offset = offset
      try {
        const waits = store.get(this.request, this.result)
        if (waits !== undefined) await waits
      } catch (error) {
        this.result.release()
        if (!(await this.takeAlone(offset, error as Error))) return pauseMs
        left--
        continue
      }
      try {
        // The clock may have been set back meanwhile.
        if (!this.stopped && (this.parts.mustWait() || !this.takeAll(offset))) return pauseMs
        this.pausedFor.ended()
        left -= Math.max(1, this.result.count)
      } finally {
        this.result.release()
      }
      // Others have their turn, too.
      if (left <= 0) return 0
    }
    return undefined
  }

  /**
   * Neighbours are read together: by itself a message may be read where that fails. One that the disk does not give for a while
   * comes into the wheel all the same, to be stored anew when it can be read. False when it has to wait. Throws DiskError.
   */
  private async takeAlone(queueOffset: number, error: Error): Promise<boolean> {
    const { store, book, clock, events } = this.parts
    const { entry, layout } = this
    if ((store.queue(wheelTimerTopic, 0)?.entries(queueOffset, entry) ?? 0) === 0) throw error
    const { physicalOffset, size } = entry[0]!
    let record: Buffer | undefined
    try {
      record = await store.readRecord(physicalOffset)
    } catch (alone) {
      // What is lacking is no place of the disk: all wait until it is there.
      if (!isBadPlace(alone)) throw alone
      const { failing } = this
      if (failing?.queueOffset !== queueOffset) {
        this.failing = { queueOffset, sinceMs: clock.monotonic() }
        throw error
      }
      if (clock.monotonic() - failing.sinceMs < unreadableMs) return false
      const magic = TimerMagic.plain | TimerMagic.roll
      const times = { writtenAtMs: book.readMs, slotMs: book.readMs, withinMs: 0 }
      this.parts.later({ previous: -1, magic, ...times, physicalOffset, size, topicHash: 0 })
      events.emit(timerNotTaken({ queueOffset, physicalOffset, error: error.message }))
      book.tookTo(queueOffset + 1)
      return true
    }
    if (this.stopped) return false
    if (record === undefined || !isSound(record, 0, layout))
      events.emit(timerDropped({ queueOffset, why: 'its record in the log is gone, or damaged' }))
    else if (!this.take(record, 0, queueOffset)) return false
    book.tookTo(queueOffset + 1)
    return true
  }

  /** False when the wheel has no room for the next one. */
  private takeAll(offset: number): boolean {
    const { book, events } = this.parts
    const { result, layout } = this
    let hasRoom = true
    for (const slice of result.slices)
      for (let at = 0, size = 0; hasRoom && slice.length - at >= minRecordBytes; at += size) {
        size = statedSize(slice, at)
        const queueOffset = readLong(slice, at + RecordAt.queueOffset)
        // One of another place would pass all before that place.
        const isHere = queueOffset >= book.queueOffset && queueOffset < result.nextOffset
        if (!isSound(slice, at, layout) || !isHere) {
          events.emit(timerDropped({ queueOffset: book.queueOffset, why: 'its record in the log is damaged' }))
          if (size < minRecordBytes) break
          continue
        }
        hasRoom = this.take(slice, at, queueOffset)
        if (hasRoom) book.tookTo(queueOffset + 1)
      }
    book.write()
    if (!hasRoom) return false
    if (result.nextOffset > book.queueOffset) book.tookTo(result.nextOffset)
    else if (book.queueOffset <= offset) throw new Error(`nothing to read at ${offset}: ${result.status}`)
    return true
  }

  private take(bytes: Uint8Array, at: number, queueOffset: number): boolean {
    const { properties, layout } = this
    const { book, events } = this.parts
    if (!properties.read(bytes, at, at + layout.size)) return true
    const outMs = Number.parseInt(properties.find(PropertyName.timerOutMs) ?? '', 10)
    const topic = properties.find(PropertyName.realTopic)
    if (!(outMs > 0) || topic === undefined) {
      events.emit(timerDropped({ queueOffset, why: 'it does not say when and where it is to be delivered' }))
      return true
    }
    const storedAtMs = readLong(bytes, layout.storeTimestampAt)
    const unit = this.unitOf({
      outMs,
      storedAtMs,
      topic,
      physicalOffset: readLong(bytes, at + RecordAt.physicalOffset),
    })
    this.lastStoredAtMs = storedAtMs
    const doubtUntilMs = Math.max(unit.slotMs, book.floor(storedAtMs)) + book.doubtMs
    if (queueOffset < book.rebuildBelow && doubtUntilMs < book.doneBeforeMs) return true
    this.bringIntoReach(unit)
    unit.slotMs = Math.max(unit.slotMs, book.readMs)
    // The unit has 32 bits for what is between.
    if (Math.abs(unit.slotMs - unit.writtenAtMs) > maxReachMs) unit.writtenAtMs = unit.slotMs
    this.lacksRoom = !book.hasRoomFor(unit.slotMs)
    if (this.lacksRoom) return false
    const recallKey = properties.find(PropertyName.timerDelUniqueKey)
    if (recallKey !== undefined) unit.magic |= TimerMagic.delete
    const position = book.add(unit)
    if (doubtUntilMs < unit.slotMs) book.tookLate(queueOffset, unit.slotMs)
    this.parts.counted(topic, recallKey === undefined ? 1 : -1)
    this.parts.added(unit, position, recallKey)
    return true
  }

  /**
   * Stored by a clock that was ahead: the wheel has no room for its slot for a long time, and others must not wait for that. It is
   * stored again on the way.
   */
  private bringIntoReach(unit: TimerUnit): void {
    const { book, clock, windowMs } = this.parts
    const farthestMs = book.floor(Math.max(clock.now(), book.readMs) + windowMs())
    if (unit.slotMs <= farthestMs) return
    unit.slotMs = farthestMs
    unit.magic |= TimerMagic.roll
  }

  /** Where a message lies follows from the message alone, so that the wheel can be made again from the queue. */
  private unitOf(message: Pick<TimerUnit, 'physicalOffset'> & { outMs: number; storedAtMs: number; topic: string }) {
    const { book, windowMs, precisionMs, clock } = this.parts
    const { outMs, storedAtMs, topic, physicalOffset } = message
    const fromMs = book.floor(storedAtMs)
    const roll = rollOf(outMs - fromMs, windowMs())
    const deliverMs = deliverAtOf(this.properties.find, storedAtMs)
    const withinMs = deliverMs - outMs
    return {
      previous: -1,
      magic: TimerMagic.plain | (roll === undefined ? 0 : TimerMagic.roll),
      writtenAtMs: Math.max(book.floor(clock.now()), book.readMs),
      slotMs: roll === undefined ? book.floor(outMs) : book.floor(fromMs + roll),
      physicalOffset,
      size: this.layout.size,
      topicHash: javaHash(topic),
      withinMs: withinMs > 0 && withinMs <= precisionMs ? withinMs : 0,
    } satisfies TimerUnit
  }
}

/** How far ahead a message that waits longer than the window lies until it is rolled; undefined for one that does not. */
export function rollOf(delayMs: number, windowMs: number): number | undefined {
  if (delayMs < windowMs) return undefined
  // Enough is left for the next time.
  return delayMs - windowMs < windowMs / 3 ? windowMs / 2 : windowMs
}
