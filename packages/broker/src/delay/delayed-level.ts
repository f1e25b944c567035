import { halfTopic, PropertyName, scheduleTopic } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, type Timer } from '@skua-mq/runtime'
import {
  type AppendWaiter,
  Draft,
  GetRequest,
  GetResult,
  type MessageStore,
  type PutResult,
  type QueueEntry,
} from '@skua-mq/store'
import { RecordProperties } from '../filter/record-properties.ts'
import { RecordCopy } from '../record/record-copy.ts'
import { isRefusedForGood } from '../record/refused-for-good.ts'
import { ArrivalMarks } from './arrival-marks.ts'

export const delayedMessageDropped = defineEvent<{ level: number; queueOffset: number; why: string }>(
  'delayed message dropped',
  'error',
)
/** The store will never take it: it is kept elsewhere, and what is behind it goes on. */
export const delayedMessageKept = defineEvent<{
  level: number
  queueOffset: number
  topic: string
  why: string
  keptIn: string
}>('delayed message cannot be delivered', 'error')
export const delayedDeliveryPaused = defineEvent<{ level: number; remark: string }>('delayed delivery paused', 'warn')

/** Messages of a level that are handed to the store and not yet answered. */
export const maxInFlight = 1024
/** Queue entries that are looked at in one go. */
const blockEntries = 256
/** Bytes of messages that are read in one go. */
const blockBytes = 1024 * 1024
/** A timer runs at most so long: a wall clock that is set forward makes messages due which were not. */
export const lookAgainMs = 1000
/** After a refusal by the store or an error. */
export const pauseMs = 1000

export interface DelayedLevelParts {
  readonly clock: Clock
  readonly events: Events
  readonly store: Pick<MessageStore, 'append' | 'get' | 'queue' | 'refusing'>
  /** From 1. */
  readonly level: number
  readonly delayMs: number
  /** Told of each message that was delivered, with its own topic. */
  readonly delivered?: ((topic: string, result: PutResult) => void) | undefined
  /** Makes the topic where messages are kept which the store refuses for good, and says its name. */
  readonly undeliverable: () => string
}

/**
 * Delivers the messages of one delay level in their order: reads queue entries in blocks, hands those that are due to
 * the store one after another without waiting, and counts a message as delivered when the store has it and all before.
 * At least once: what was not counted when the process died comes again.
 */
export class DelayedLevel {
  /** All messages before are delivered: what is kept on disk. */
  delivered = 0
  private readonly parts: DelayedLevelParts
  private readonly entries: QueueEntry[] = []
  private readonly request = new GetRequest()
  private readonly result = new GetResult()
  private readonly draft = new Draft()
  private readonly copy = new RecordCopy()
  private readonly properties = new RecordProperties()
  private readonly marks: ArrivalMarks
  private flight: InFlight[] = []
  /** The next offset to be handed to the store. */
  private next = 0
  private timer: Timer | undefined
  private working = false
  /** Work ended because too much was in flight, and goes on when half of it is answered. */
  private full = false
  private failed = false
  private stopped = true
  private idle: (() => void) | undefined

  constructor(parts: DelayedLevelParts) {
    this.parts = parts
    this.marks = new ArrivalMarks(parts.delayMs)
    for (let i = 0; i < blockEntries; i++) this.entries.push({ physicalOffset: 0, size: 0, tagsCode: 0 })
    this.request.topic = scheduleTopic
    this.request.queueId = parts.level - 1
    this.request.maxBytes = blockBytes
  }

  /** `offset`: from disk; it is moved into what the queue holds. */
  start(offset: number): void {
    const { store, level } = this.parts
    const queue = store.queue(scheduleTopic, level - 1)
    const { minOffset, maxOffset } = queue ?? { minOffset: 0, maxOffset: 0 }
    this.delivered = Math.min(Math.max(offset, minOffset), maxOffset)
    this.next = this.delivered
    // Since when they are here is not known: the time of this start is the latest that it can have been.
    this.marks.note(maxOffset, this.parts.clock.monotonic())
    this.stopped = false
    this.wake()
  }

  /** Resolves when the store has answered for all that it was given, so that `delivered` is final. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    if (this.flight.length > 0 || this.working)
      await new Promise<void>(resolve => {
        this.idle = resolve
      })
  }

  /** Messages have arrived, up to `maxOffset`. */
  arrived(maxOffset: number): void {
    this.marks.note(maxOffset, this.parts.clock.monotonic())
    this.wake()
  }

  private wake(): void {
    if (this.stopped || this.working || this.timer !== undefined) return
    this.working = true
    this.work().finally(() => {
      this.working = false
      this.settle()
    })
  }

  private async work(): Promise<void> {
    try {
      while (!this.stopped && !this.failed && this.flight.length < maxInFlight) {
        const due = this.countDue()
        if (due === 0) return
        if (!(await this.deliver(due))) return
      }
      this.full = this.flight.length >= maxInFlight
    } catch (error) {
      this.pause((error as Error).message)
    }
  }

  private sleep(ms: number): void {
    const lookMs = Math.min(ms, lookAgainMs)
    const look = () => {
      this.timer = undefined
      this.wake()
    }
    this.timer = this.parts.clock.after(lookMs, look, ms - lookMs)
  }

  private pause(remark: string): void {
    if (this.stopped) return
    this.parts.events.emit(delayedDeliveryPaused({ level: this.parts.level, remark }))
    this.sleep(pauseMs)
  }

  /** How many of the next messages are due; when none is, the timer is set for the first. */
  private countDue(): number {
    const { store, level, delayMs, clock } = this.parts
    const queue = store.queue(scheduleTopic, level - 1)
    if (queue === undefined) return 0
    // Retention may have taken what nobody could deliver.
    if (this.next < queue.minOffset) this.next = queue.minOffset
    const count = queue.entries(this.next, this.entries)
    const now = clock.now()
    // By the marks: what arrived so long ago is due whatever the wall clock said when it was stored, or says now.
    const arrivedBefore = clock.monotonic() - delayMs
    this.marks.forget(this.next)
    let due = 0
    for (; due < count; due++) {
      const { tagsCode } = this.entries[due]!
      const arrivedBy = this.marks.arrivedBy(this.next + due)
      if (tagsCode <= now || (arrivedBy !== undefined && arrivedBy <= arrivedBefore)) continue
      const waitMs = arrivedBy === undefined ? delayMs : arrivedBy - arrivedBefore
      if (due === 0) this.sleep(Math.min(tagsCode - now, waitMs))
      break
    }
    return Math.min(due, maxInFlight - this.flight.length)
  }

  /** False when the rest has to wait. */
  private async deliver(due: number): Promise<boolean> {
    const { store } = this.parts
    if (store.refusing !== undefined) {
      this.pause(store.refusing.remark)
      return false
    }
    const { request, result } = this
    request.offset = this.next
    request.maxCount = due
    await store.get(request, result)
    try {
      for (const slice of result.slices) {
        for (let at = 0; at < slice.length; at += this.copy.size) {
          const { copy, draft, properties } = this
          if (!copy.fill(draft, slice, { at }) || !properties.read(slice, at, at + copy.size)) {
            this.drop(this.next++, 'its record in the log is damaged')
            this.advance()
            return true
          }
          if (!this.append()) return false
        }
      }
      // A record that cannot be read is passed over, or everything behind it would wait for ever.
      if (result.count === 0) {
        if (result.nextOffset <= this.next) throw new Error(`nothing to read at ${this.next}: ${result.status}`)
        this.drop(this.next, `the log does not hold it any more (${result.status})`)
      }
      this.next = Math.max(this.next, result.nextOffset)
      this.advance()
      return true
    } finally {
      result.release()
    }
  }

  /** Hands the record that `draft` is filled from to the store; false when delivery has to wait. */
  private append(): boolean {
    const { draft, copy, properties } = this
    if (this.stopped) return false
    const topic = properties.find(PropertyName.realTopic)
    const queueId = Number.parseInt(properties.find(PropertyName.realQueueId) ?? '', 10)
    if (topic === undefined || !(queueId >= 0)) this.drop(copy.queueOffset, 'it does not say where it belongs')
    else if (topic === halfTopic) this.drop(copy.queueOffset, 'a half message is never delayed')
    else {
      draft.topic = topic
      draft.queueId = queueId
      draft.preparedTransactionOffset = 0
      const refused = this.hand()
      if (refused !== undefined) this.keep(topic, refused)
      // A refusal is told before append returns: nothing behind it may overtake.
      if (this.failed) return false
    }
    this.next = copy.queueOffset + 1
    return true
  }

  /** Returns why the store will never take it. */
  private hand(): string | undefined {
    const flight = new InFlight(this, { offset: this.copy.queueOffset, topic: this.draft.topic })
    this.flight.push(flight)
    this.parts.store.append(this.draft, flight)
    if (flight.refusedForGood === undefined) return undefined
    this.flight.pop()
    return flight.refusedForGood
  }

  /** The message that was handed last is kept elsewhere, so that those behind it need not wait for ever. */
  private keep(topic: string, why: string): void {
    const { level, events, undeliverable } = this.parts
    const { queueOffset, physicalOffset } = this.copy
    const keptIn = undeliverable()
    this.draft.topic = keptIn
    this.draft.queueId = 0
    const refused = this.hand()
    if (this.failed) return
    const place = refused === undefined ? keptIn : `the log at physical offset ${physicalOffset}, until retention`
    events.emit(delayedMessageKept({ level, queueOffset, topic, why, keptIn: place }))
  }

  /** The store has one. */
  stored(topic: string, result: PutResult): void {
    this.parts.delivered?.(topic, result)
  }

  private drop(queueOffset: number, why: string): void {
    this.parts.events.emit(delayedMessageDropped({ level: this.parts.level, queueOffset, why }))
  }

  /** The store has answered for one. */
  answered(isStored: boolean): void {
    if (!isStored) this.failed = true
    this.advance()
    this.settle()
  }

  private advance(): void {
    let count = 0
    while (count < this.flight.length && this.flight[count]!.state === 'stored') count++
    if (count > 0) this.flight.splice(0, count)
    if (!this.failed) this.delivered = this.flight[0]?.offset ?? this.next
    else if (this.flight.length > 0) this.delivered = this.flight[0]!.offset
  }

  /** After the last answer: goes on, or begins again behind what is delivered. */
  private settle(): void {
    if (this.working) return
    if (this.failed && this.flight.every(each => each.state !== 'waiting')) {
      this.delivered = this.next = this.flight[0]?.offset ?? this.next
      this.flight = []
      this.failed = false
      this.pause(this.parts.store.refusing?.remark ?? 'the store took no message')
    }
    if (this.stopped) {
      if (this.flight.length === 0) this.idle?.()
    } else if (this.full && this.flight.length < maxInFlight / 2) {
      this.full = false
      this.wake()
    }
  }
}

class InFlight implements AppendWaiter {
  state: 'waiting' | 'stored' | 'refused' = 'waiting'
  refusedForGood: string | undefined
  readonly offset: number
  private readonly owner: DelayedLevel
  private readonly topic: string

  constructor(owner: DelayedLevel, { offset, topic }: { readonly offset: number; readonly topic: string }) {
    this.owner = owner
    this.topic = topic
    this.offset = offset
  }

  stored(result: PutResult): void {
    if (isRefusedForGood(result)) {
      this.refusedForGood = result.remark
      return
    }
    if (result.isStored) this.owner.stored(this.topic, result)
    this.state = result.isStored ? 'stored' : 'refused'
    this.owner.answered(result.isStored)
  }
}
