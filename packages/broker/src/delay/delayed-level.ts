import { halfTopic, PropertyName, scheduleTopic } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, isBadPlace, type Timer } from '@skua-mq/runtime'
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
import { LastingCause } from '../house/lasting-cause.ts'
import { RecordCopy } from '../record/record-copy.ts'
import { isRefusedForGood } from '../record/refused-for-good.ts'
import { appendDraft } from '../record/rewrite.ts'
import { ArrivalMarks } from './arrival-marks.ts'
import { type Unreadable, UnreadableMessages } from './unreadable-messages.ts'

/** Retention took them before their time: the disk was short. */
export const delayedMessagesGone = defineEvent<{ level: number; from: number; to: number }>(
  'delayed messages are lost with the log that held them',
  'error',
)
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
/** Told of the first one of a level; it is tried again while the broker runs, and those behind it come. */
export const delayedMessageUnreadable = defineEvent<{
  level: number
  queueOffset: number
  physicalOffset: number
  error: string
}>('delayed message cannot be read', 'error')
/** Told once for one cause. */
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
  readonly store: Pick<MessageStore, 'append' | 'get' | 'queue' | 'refusing' | 'readRecord'>
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
  /** No message from here on is delivered. */
  private deliveredUpTo = 0
  private readonly parts: DelayedLevelParts
  private readonly entries: QueueEntry[] = []
  private readonly request = new GetRequest()
  private readonly result = new GetResult()
  private readonly draft = new Draft()
  private readonly copy = new RecordCopy()
  private readonly properties = new RecordProperties()
  private readonly marks: ArrivalMarks
  private readonly unreadable: UnreadableMessages
  private readonly pausedFor = new LastingCause()
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
    this.unreadable = new UnreadableMessages({
      ...parts,
      readable: (message, record) => this.storeLate(message, record),
      deliveredUpTo: () => this.deliveredUpTo,
      tried: () => this.advance(),
    })
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
    await this.unreadable.stop()
    if (this.flight.length > 0 || this.working)
      await new Promise<void>(resolve => {
        this.idle = resolve
      })
  }

  /** Where the first message that is not delivered lies in the log; infinite where none waits. */
  heldFrom(): number {
    const { store, level } = this.parts
    const first = this.flight[0]?.offset ?? this.next
    const offset = Math.min(first, this.unreadable.heldInLog ?? first)
    const entry: QueueEntry = { physicalOffset: 0, size: 0, tagsCode: 0 }
    try {
      const count = this.stopped ? 0 : (store.queue(scheduleTopic, level - 1)?.entries(offset, [entry]) ?? 0)
      return count === 0 ? Number.POSITIVE_INFINITY : entry.physicalOffset
    } catch {
      // A queue that does not read tells of itself where it is delivered; the log must not grow for it.
      return Number.POSITIVE_INFINITY
    }
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
    if (this.pausedFor.isNew(remark)) this.parts.events.emit(delayedDeliveryPaused({ level: this.parts.level, remark }))
    this.sleep(pauseMs)
  }

  /** How many of the next messages are due; when none is, the timer is set for the first. */
  private countDue(): number {
    const { store, level, delayMs, clock } = this.parts
    const queue = store.queue(scheduleTopic, level - 1)
    if (queue === undefined) return 0
    // Retention may have taken what nobody could deliver.
    if (this.next < queue.minOffset) {
      this.parts.events.emit(delayedMessagesGone({ level, from: this.next, to: queue.minOffset }))
      this.next = queue.minOffset
    }
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
      // In whole ms: what is left of the fractions of a clock may be too little to move it.
      const waitMs = arrivedBy === undefined ? delayMs : Math.ceil(arrivedBy - arrivedBefore)
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
    try {
      await store.get(request, result)
    } catch (error) {
      result.release()
      return await this.deliverAlone(due, (error as Error).message)
    }
    try {
      for (const slice of result.slices) {
        for (let at = 0; at < slice.length; at += this.copy.size) {
          const { copy, draft, properties } = this
          const isRead = copy.fill(draft, slice, { at }) && properties.read(slice, at, at + copy.size)
          // One of another place would pass all before that place.
          if (!isRead || copy.queueOffset < this.next || copy.queueOffset >= result.nextOffset) {
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

  /** Neighbours are read together: by itself a message may be read where that fails. False when the rest has to wait. */
  private async deliverAlone(due: number, error: string): Promise<boolean> {
    const { store, level, events } = this.parts
    for (const { physicalOffset } of this.entries.slice(0, due)) {
      const queueOffset = this.next
      let record: Buffer | undefined
      try {
        record = await store.readRecord(physicalOffset)
      } catch (alone) {
        // What is lacking is no place of the disk: all wait until it is there.
        if (!isBadPlace(alone) || this.unreadable.isFull) throw new Error(error)
        if (this.unreadable.size === 0)
          events.emit(delayedMessageUnreadable({ level, queueOffset, physicalOffset, error }))
        this.unreadable.add({ queueOffset, physicalOffset })
        this.next = queueOffset + 1
        continue
      }
      if (this.stopped || this.failed) return false
      if (!this.fill(record, queueOffset)) this.drop(queueOffset, 'its record in the log is gone, or damaged')
      else if (!this.append()) return false
      this.next = queueOffset + 1
    }
    this.advance()
    return true
  }

  private fill(record: Buffer | undefined, queueOffset: number): boolean {
    const { copy, draft, properties } = this
    if (record === undefined || !copy.fill(draft, record)) return false
    return copy.queueOffset === queueOffset && properties.read(record, 0, copy.size)
  }

  /** One that could not be read for a while. False where it has to be tried again. */
  private async storeLate({ queueOffset, physicalOffset }: Unreadable, record: Buffer | undefined): Promise<boolean> {
    const { store, level, events, undeliverable } = this.parts
    if (!this.fill(record, queueOffset)) {
      this.drop(queueOffset, `the log does not hold it at ${physicalOffset} any more, or damaged`)
      return true
    }
    if (!this.hasTarget()) return true
    const { draft } = this
    const { topic } = draft
    const result = await appendDraft(store, draft)
    if (result.isStored) this.stored(topic, result)
    if (!isRefusedForGood(result)) return result.isStored
    // Others were handed over meanwhile.
    if (!this.fill(record, queueOffset)) return true
    const keptIn = undeliverable()
    draft.topic = keptIn
    draft.queueId = 0
    events.emit(delayedMessageKept({ level, queueOffset, topic, why: result.remark, keptIn }))
    return (await appendDraft(store, draft)).isStored
  }

  /** Hands the record that `draft` is filled from to the store; false when delivery has to wait. */
  private append(): boolean {
    if (this.stopped) return false
    if (this.hasTarget()) {
      const refused = this.hand()
      if (refused !== undefined) this.keep(this.draft.topic, refused)
      // A refusal is told before append returns: nothing behind it may overtake.
      if (this.failed) return false
    }
    this.next = this.copy.queueOffset + 1
    return true
  }

  /** Fills in where it goes; false for one that is dropped. */
  private hasTarget(): boolean {
    const { draft, copy, properties } = this
    const topic = properties.find(PropertyName.realTopic)
    const queueId = Number.parseInt(properties.find(PropertyName.realQueueId) ?? '', 10)
    if (topic === undefined || !(queueId >= 0)) this.drop(copy.queueOffset, 'it does not say where it belongs')
    else if (topic === halfTopic) this.drop(copy.queueOffset, 'a half message is never delayed')
    else {
      draft.topic = topic
      draft.queueId = queueId
      draft.preparedTransactionOffset = 0
      return true
    }
    return false
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
    this.pausedFor.ended()
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
    if (count > 0) {
      this.deliveredUpTo = Math.max(this.deliveredUpTo, this.flight[count - 1]!.offset + 1)
      this.flight.splice(0, count)
    }
    const first = this.flight[0]?.offset ?? (this.failed ? undefined : this.next)
    if (first !== undefined) this.delivered = Math.min(first, this.unreadable.held ?? first)
  }

  /** After the last answer: goes on, or begins again behind what is delivered. */
  private settle(): void {
    if (this.working) return
    if (this.failed && this.flight.every(each => each.state !== 'waiting')) {
      this.next = this.flight[0]?.offset ?? this.next
      this.flight = []
      this.failed = false
      this.advance()
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
