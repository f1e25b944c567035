import { wheelTimerTopic } from '@skua-mq/protocol'
import { type Clock, type Disk, delay, type Events, every, type Timer } from '@skua-mq/runtime'
import { type ArrivalListener, DamagedTimerLog, type MessageStore, type TimerUnit } from '@skua-mq/store'
import { BookRepair } from './book-repair.ts'
import { DueSlots } from './due-slots.ts'
import { isTriedAgain, maxScheduled, triedAgainMs, triedLaterMs, tryAgainAt } from './slot-schedule.ts'
import { TimerBook } from './timer-book.ts'
import type { TimerTopicCounts } from './timer-counts.ts'
import { type DeliveredTimer, TimerDelivery } from './timer-delivery.ts'
import { TimerIntake } from './timer-intake.ts'
import { timerQueueOffsetOf } from './timer-queue-offset.ts'

/** Between two writes of config/timermetrics. */
const countsMs = 10_000
/** Between two looks whether delivery has come to its end. */
const idleMs = 20

export interface TimerSettings {
  readonly precisionMs: number
  readonly flushMs: number
  readonly fileBytes: number
  readonly windowMs: () => number
  /** Units of a slot that are in memory at once; default `maxScheduled`. */
  readonly scheduledAtOnce?: number
  readonly isIntakeStopped: () => boolean
  readonly isDeliveryStopped: () => boolean
}

export interface TimersParts {
  readonly clock: Clock
  readonly disk: Disk
  readonly events: Events
  readonly store: MessageStore
  readonly root: string
  readonly settings: TimerSettings
  readonly counts: TimerTopicCounts
  readonly undeliverable: () => string
  /** Told of each message that came into the wheel, with the topic where it goes. */
  readonly enqueued?: (topic: string) => void
  /** Told of each message that has come to its own topic, or into the timer's topic again. */
  readonly delivered?: (told: DeliveredTimer) => void
}

/**
 * Messages with a time of delivery (store.md 7.2): they lie in the timer's topic of the log, a unit of each in the timer log,
 * and the wheel says where the units of a time are. In memory are the slot of now and pages of the wheel.
 */
export class Timers implements ArrivalListener {
  readonly book: TimerBook
  private readonly parts: TimersParts
  private readonly intake: TimerIntake
  private readonly delivery: TimerDelivery
  private readonly due: DueSlots
  private readonly repair: BookRepair
  private timer: Timer | undefined
  private isRunning = false

  constructor(parts: TimersParts) {
    const { settings, counts } = parts
    const { precisionMs, windowMs, isIntakeStopped, isDeliveryStopped, scheduledAtOnce = maxScheduled } = settings
    this.parts = parts
    const failed = (error: unknown) => {
      if (!(error instanceof DamagedTimerLog)) this.repair.failed(error)
      else if (this.repair.isReady) this.repair.damaged(error.message)
    }
    this.book = new TimerBook({ ...parts, ...settings, failed })
    this.repair = new BookRepair({
      clock: parts.clock,
      isOwn: path => this.book.isOwnFile(path),
      rebuild: why => this.rebuild(why),
    })
    this.delivery = new TimerDelivery({
      ...parts,
      delivered: told => {
        if (told.isCounted) counts.count(told.topic, -1)
        parts.delivered?.(told)
      },
      dropped: topic => counts.count(topic, -1),
      later: ({ unit }) => this.later(unit),
      eased: () => this.due.wake(),
    })
    this.intake = new TimerIntake({
      ...{ ...parts, book: this.book, precisionMs, windowMs },
      isStopped: isIntakeStopped,
      mustWait: () => this.due.isClockBack,
      later: unit => this.later(unit),
      failed,
      added: (unit, position, key) => this.due.added(unit, position, key),
      counted: (topic, step) => {
        counts.count(topic, step)
        parts.enqueued?.(topic)
      },
    })
    this.due = new DueSlots({
      ...{
        ...parts,
        book: this.book,
        delivery: this.delivery,
        repair: this.repair,
        precisionMs,
        windowMs,
        maxScheduled: scheduledAtOnce,
      },
      isCaughtUp: () => this.intake.isCaughtUp,
      isReady: () => this.intake.isReady,
      isStopped: isDeliveryStopped,
      recallMissed: key => counts.count(key.slice(0, key.indexOf('+')), 1),
    })
    parts.store.onArrival(this)
  }

  /** When the store is open. Throws DiskError. */
  async start(): Promise<void> {
    const { clock, counts } = this.parts
    await this.book.open()
    if (this.book.isAnew) counts.clear()
    this.isRunning = true
    this.parts.store.hold({ what: 'messages with a time of delivery', from: () => this.book.heldFrom() })
    this.book.start()
    this.intake.start()
    this.due.start()
    this.timer = every(clock, countsMs, () => counts.save())
  }

  /** While the store is still open: what it was given is waited for, so that a restart delivers nothing twice. */
  async stop(): Promise<void> {
    this.isRunning = false
    this.timer?.cancel()
    await this.repair.stop()
    await this.intake.stop()
    await this.due.stop()
    await this.delivery.stop()
    try {
      await this.due.settle()
    } finally {
      await this.book.stop()
      this.parts.counts.saveAtStop()
    }
  }

  /** What was due lately may come twice; nothing is lost. */
  private async rebuild(why: string): Promise<void> {
    const { intake, due, delivery, book, parts } = this
    await intake.stop()
    await due.stop()
    try {
      // What is on its way comes to its end first: it would come twice.
      while (this.isRunning && !delivery.isIdle) await delay(parts.clock, idleMs)
      if (!this.isRunning) return
      await book.rebuild(why)
      due.forget()
      parts.counts.clear()
    } finally {
      if (this.isRunning) {
        intake.start()
        due.start()
      }
    }
  }

  /** A message that cannot be read now is tried again in a later slot. */
  private later(unit: TimerUnit): void {
    const { book, due, parts } = this
    const isFirst = !isTriedAgain(unit)
    const nowMs = book.floor(parts.clock.now())
    const slotMs = Math.max(nowMs + book.floor(isFirst ? triedAgainMs : triedLaterMs), book.readMs)
    const again = tryAgainAt(unit, slotMs, nowMs)
    // A slave that takes over may read it: for a minute it counts as not delivered.
    const queueOffset = isFirst ? timerQueueOffsetOf(parts.store, unit.physicalOffset) : undefined
    const position = book.add(again)
    if (queueOffset !== undefined) book.tookLate(queueOffset, slotMs)
    due.added(again, position, undefined)
  }

  /** Messages of the timer's topic that are not in the wheel yet. */
  get behind(): number {
    return this.isRunning ? Math.max(0, this.parts.store.maxOffset(wheelTimerTopic, 0) - this.book.queueOffset) : 0
  }

  /** Of the messages that are read, or handed to the store and not answered. */
  get bytesInFlight(): number {
    return this.delivery.bytes
  }

  /** When the last message was stored that came into the wheel. */
  get lastStoredAtMs(): number {
    return this.intake.lastStoredAtMs
  }

  arrived(topic: string): void {
    if (topic === wheelTimerTopic && this.isRunning) this.intake.wake()
  }
}
