import {
  halfTopic,
  isClosedText,
  PropertyName,
  parseProperties,
  printProperties,
  reviveTopicPrefix,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, isBadPlace, type Timer } from '@skua-mq/runtime'
import { type AppendWaiter, Draft, type MessageStore, type PutResult } from '@skua-mq/store'
import { RecordProperties } from '../filter/record-properties.ts'
import { LastingCause } from '../house/lasting-cause.ts'
import { RecordCopy } from '../record/record-copy.ts'
import { isRefusedForGood } from '../record/refused-for-good.ts'
import { maxPropertiesBytes } from '../send/property-rewrite.ts'
import type { DueTimer, SlotSchedule } from './slot-schedule.ts'
import { isRoll, isTriedAgain, isUncounted } from './slot-schedule.ts'

/** A timer without its message: it cannot be delivered. */
export const timerLost = defineEvent<{ physicalOffset: number; slotMs: number; why: string }>('timer lost', 'error')
/** The store will never take it: it is kept elsewhere. */
export const timerKept = defineEvent<{ physicalOffset: number; topic: string; why: string; keptIn: string }>(
  'timed message cannot be delivered',
  'error',
)
/** It is tried again while the log holds it; told once. */
export const timerUnreadable = defineEvent<{ physicalOffset: number; slotMs: number; error: string }>(
  'timed message cannot be read',
  'error',
)
/** Told once for one cause. */
export const timersPaused = defineEvent<{ remark: string }>('delivery of timed messages paused', 'warn')

/** Timers that are read, or handed to the store and not answered. */
export const maxTimersInFlight = 1024
/** The same in bytes of their messages; one that is larger goes alone. */
export const maxTimerBytesInFlight = 16 * 1024 * 1024
/** Records that are read at once. */
const readAhead = 64
/** After a refusal by the store. */
const pauseMs = 1000

export interface TimerDeliveryParts {
  readonly clock: Clock
  readonly events: Events
  readonly store: Pick<MessageStore, 'append' | 'readRecord' | 'refusing'>
  /** Makes the topic where messages are kept which the store refuses for good, and says its name. */
  readonly undeliverable: () => string
  /** It cannot be read now: puts it into a later slot. Throws DiskError. */
  readonly later: (timer: DueTimer) => void
  /** Told of each that leaves its slot for nowhere, with its topic. */
  readonly dropped: (topic: string) => void
  /** Told of each message that was delivered, or put into the timer's topic again. */
  readonly delivered: (told: DeliveredTimer) => void
  /** Told when there is room again, or all is answered. */
  readonly eased: () => void
}

/** A message that has left its slot. */
export interface DeliveredTimer {
  /** Where it goes in the end. */
  readonly topic: string
  readonly isRoll: boolean
  /** It was among those that wait for its topic: not one that could not be read when it was taken up. */
  readonly isCounted: boolean
  /** How much later than its time it was handed to the store. */
  readonly lateMs: number
  readonly result: PutResult
}

/**
 * Hands the messages of due timers to the store, in the order in which it is given them; reads some ahead. What the store
 * refuses for now is tried again, before all others.
 */
export class TimerDelivery {
  private readonly parts: TimerDeliveryParts
  private queue: Flight[] = []
  private again: Flight[] = []
  private inStore = 0
  /** Of the messages in flight. */
  bytes = 0
  private working = false
  private stopped = false
  private timer: Timer | undefined
  private idle: (() => void) | undefined
  private readonly pausedFor = new LastingCause()
  private readonly draft = new Draft()
  private readonly copy = new RecordCopy()
  private readonly properties = new RecordProperties()

  constructor(parts: TimerDeliveryParts) {
    this.parts = parts
  }

  get hasRoom(): boolean {
    const count = this.queue.length + this.again.length + this.inStore
    return count < maxTimersInFlight && this.bytes < maxTimerBytesInFlight
  }

  /** Nothing is on its way. */
  get isIdle(): boolean {
    return this.queue.length + this.again.length + this.inStore === 0 && !this.working
  }

  /** `schedule` hears when it is done. */
  take(timer: DueTimer, schedule: SlotSchedule): void {
    schedule.undone.set(timer.position, timer)
    this.bytes += timer.unit.size
    this.queue.push(new Flight(this, timer, schedule))
    this.wake()
  }

  /** Resolves when the store has answered for all that it was given; the rest is not done. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    if (this.inStore === 0 && !this.working) return
    await new Promise<void>(resolve => {
      this.idle = resolve
    })
  }

  private wake(): void {
    if (this.working || this.stopped || this.timer !== undefined) return
    this.working = true
    void this.work().finally(() => {
      this.working = false
      this.settle()
      // What came while the last round ended.
      if (this.queue.length > 0) this.wake()
    })
  }

  private async work(): Promise<void> {
    while (!this.stopped && this.again.length === 0) {
      const [flight] = this.queue
      if (flight === undefined) return
      if (flight.timer.record === undefined)
        for (let at = 0; at < Math.min(readAhead, this.queue.length); at++) this.queue[at]!.read(this.parts.store)
      let record = flight.timer.record
      try {
        record ??= await flight.record
      } catch (error) {
        flight.record = undefined
        if (this.stopped || this.again.length > 0) return
        // What is lacking is no place of the disk: all wait until it is there.
        if (isBadPlace(error) && this.postpone(flight, error.message)) continue
        this.pause((error as Error).message)
        return
      }
      // What waited meanwhile may have been refused, or all may be about to stop.
      if (this.stopped || this.again.length > 0) return
      this.queue.shift()
      if (record === undefined) this.lose(flight, 'the commit log does not hold its message any more')
      else this.hand(flight, record)
    }
  }

  /** What lies at a bad place of the disk keeps none of the others. False where it has to stay. */
  private postpone(flight: Flight, error: string): boolean {
    const { timer } = flight
    const { physicalOffset, slotMs } = timer.unit
    try {
      this.parts.later(timer)
    } catch {
      return false
    }
    if (!isTriedAgain(timer.unit)) this.parts.events.emit(timerUnreadable({ physicalOffset, slotMs, error }))
    this.queue.shift()
    flight.done()
    return true
  }

  private hand(flight: Flight, record: Buffer): void {
    const { copy, draft, properties } = this
    const { unit } = flight.timer
    if (!copy.fill(draft, record) || copy.size !== unit.size || !properties.read(record, 0, record.length)) {
      this.lose(flight, 'its record in the log is another one, or damaged')
      return
    }
    const topic = properties.find(PropertyName.realTopic)
    const queueId = Number.parseInt(properties.find(PropertyName.realQueueId) ?? '', 10)
    if (topic === undefined || !(queueId >= 0) || topic === halfTopic) {
      this.lose(flight, 'it does not say where it belongs')
      return
    }
    // Check points of pops wait in the wheel for a RocketMQ that may open this store; here the pops look after them.
    const isPop = topic.startsWith(reviveTopicPrefix)
    const id = () => this.properties.find(PropertyName.uniqueKey) ?? ''
    if (isPop || flight.schedule.isRecalled(topic, id)) {
      // What is recalled was counted by its recall.
      if (isPop) this.parts.dropped(topic)
      flight.done()
      return
    }
    flight.topic = topic
    draft.topic = isRoll(unit) ? wheelTimerTopic : topic
    draft.queueId = isRoll(unit) ? 0 : queueId
    draft.preparedTransactionOffset = 0
    draft.waitStored = false
    this.note(flight)
    this.append(flight)
    // The store has its own copy; what it does not take is read again.
    flight.record = flight.timer.record = undefined
    if (flight.refusedForGood !== undefined) this.keep(flight, flight.refusedForGood)
  }

  /** Adds when it came into its slot and when it left it, as RocketMQ does. */
  private note({ timer: { unit } }: Flight): void {
    const { draft, parts } = this
    const now = parts.clock.now()
    const added: [string, string][] = [
      [PropertyName.timerEnqueueMs, String(unit.writtenAtMs)],
      [PropertyName.timerDequeueMs, String(now)],
    ]
    const stored = Buffer.from(draft.properties.buffer, draft.properties.byteOffset, draft.properties.length).toString(
      'utf8',
      draft.propertiesStart,
      draft.propertiesEnd,
    )
    const isNew = !isRoll(unit) && this.properties.find(PropertyName.timerEnqueueMs) === undefined
    let text: string
    if (isNew) {
      const separator = stored === '' || stored.endsWith('\u0002') ? '' : '\u0002'
      text = stored + separator + printProperties(added, { closed: isClosedText(stored) })
    } else {
      const map = parseProperties(stored)
      if (isRoll(unit)) {
        const rolls = Number.parseInt(map.get(PropertyName.timerRollTimes) ?? '0', 10)
        added.push([PropertyName.timerRollTimes, String(rolls + 1)])
      }
      for (const [name, value] of added) map.set(name, value)
      text = printProperties(map, { closed: isClosedText(stored) })
    }
    const bytes = Buffer.from(text)
    // What has no room for them is delivered without.
    if (bytes.length > maxPropertiesBytes) return
    draft.properties = bytes
    draft.propertiesStart = 0
    draft.propertiesEnd = bytes.length
  }

  private append(flight: Flight): void {
    this.inStore++
    flight.handedAtMs = this.parts.clock.now()
    this.parts.store.append(this.draft, flight)
  }

  private keep(flight: Flight, why: string): void {
    const keptIn = this.parts.undeliverable()
    flight.refusedForGood = undefined
    this.draft.topic = keptIn
    this.draft.queueId = 0
    this.append(flight)
    const isKept = flight.refusedForGood === undefined
    const { physicalOffset } = flight.timer.unit
    const place = isKept ? keptIn : `the log at physical offset ${physicalOffset}, until retention`
    this.parts.events.emit(timerKept({ physicalOffset, topic: flight.topic, why, keptIn: place }))
    if (!isKept) flight.done()
  }

  private lose(flight: Flight, why: string): void {
    const { physicalOffset, slotMs } = flight.timer.unit
    this.parts.events.emit(timerLost({ physicalOffset, slotMs, why }))
    flight.done()
  }

  /** The store has answered. */
  answered(flight: Flight, result: PutResult): void {
    this.inStore--
    if (isRefusedForGood(result)) {
      flight.refusedForGood = result.remark
      return
    }
    if (result.isStored) {
      this.pausedFor.ended()
      const { timer, topic } = flight
      const lateMs = flight.handedAtMs - timer.dueMs
      const isCounted = !isUncounted(timer.unit)
      this.parts.delivered({ topic, isRoll: isRoll(timer.unit), isCounted, lateMs, result })
      flight.done()
    } else {
      this.again.push(flight)
      this.pause(result.remark)
    }
    this.settle()
  }

  /** A flight is over. */
  eased(bytes: number): void {
    this.bytes -= bytes
    this.parts.eased()
  }

  private pause(remark: string): void {
    if (this.stopped || this.timer !== undefined) return
    if (this.pausedFor.isNew(remark)) this.parts.events.emit(timersPaused({ remark }))
    this.timer = this.parts.clock.after(pauseMs, () => {
      this.timer = undefined
      this.queue = [...this.again, ...this.queue]
      this.again = []
      this.wake()
    })
  }

  private settle(): void {
    if (this.stopped && this.inStore === 0 && !this.working) this.idle?.()
  }
}

class Flight implements AppendWaiter {
  readonly timer: DueTimer
  readonly schedule: SlotSchedule
  record: Promise<Buffer | undefined> | undefined
  refusedForGood: string | undefined
  topic = ''
  handedAtMs = 0
  private readonly owner: TimerDelivery

  constructor(owner: TimerDelivery, timer: DueTimer, schedule: SlotSchedule) {
    this.owner = owner
    this.timer = timer
    this.schedule = schedule
  }

  read(store: Pick<MessageStore, 'readRecord'>): void {
    if (this.record !== undefined || this.timer.record !== undefined) return
    this.record = store.readRecord(this.timer.unit.physicalOffset)
    // Whoever awaits it hears of it; one that is given up must not end the process.
    this.record.catch(() => {})
  }

  stored(result: PutResult): void {
    this.owner.answered(this, result)
  }

  done(): void {
    this.schedule.undone.delete(this.timer.position)
    this.schedule.isBegun = true
    this.owner.eased(this.timer.unit.size)
  }
}
