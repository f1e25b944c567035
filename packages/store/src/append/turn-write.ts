import { assert, type Clock, type Turn, type TurnSlot } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import type { Dispatch, DispatchRecord } from '../dispatch.ts'
import type { LogFlush } from '../flush/log-flush.ts'
import type { Health } from '../health.ts'
import type { ArrivalListener } from '../message-store.ts'
import type { Answers } from './answers.ts'
import type { PutSlot } from './put-slot.ts'
import type { PutTimes } from './put-times.ts'
import { TurnRecords } from './turn-records.ts'

export interface TurnWriteParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly turn: Turn
  readonly log: CommitLog
  readonly dispatch: Dispatch
  readonly answers: Answers
  readonly flush: LogFlush
  readonly health: Health
  readonly putTimes: PutTimes
  /** Most bytes that may wait for the end of the turn. */
  readonly turnBytes: number
  /** A write failed: whoever probes the disk begins. */
  readonly onFailed: () => void
}

/**
 * The end of a turn: one write of all its bytes, then its records are dispatched to queues and index, its appends are
 * handed on to be answered, and listeners of arrivals are told. A failed write fails the whole turn.
 */
export class TurnWrite {
  private readonly parts: TurnWriteParts
  private readonly slots: PutSlot[] = []
  /** Each record that was laid out since the last turn; slots say which are theirs. */
  readonly records = new TurnRecords()
  private readonly record: DispatchRecord = {
    bytes: Buffer.alloc(0),
    physicalOffset: 0,
    size: 0,
    sysFlag: 0,
    storedAtMs: 0,
    hasQueueEntry: true,
    propertiesAt: 0,
    propertiesLength: 0,
    plainTail: 0,
  }
  private readonly arrivals: ConsumeQueue[] = []
  private readonly listeners: ArrivalListener[] = []
  private wake: TurnSlot | undefined
  /** Of the last turn. */
  private writtenAtMs = 0
  private writeMs = 0

  constructor(parts: TurnWriteParts) {
    this.parts = parts
  }

  start(): void {
    this.wake = this.parts.turn.join('wake', () => this.tellArrivals())
  }

  stop(): void {
    this.wake?.leave()
    this.wake = undefined
  }

  onArrival(listener: ArrivalListener): void {
    this.listeners.push(listener)
  }

  add(slot: PutSlot): void {
    this.slots.push(slot)
  }

  /** Whether so much is waiting that it should be written before more is taken. */
  get isLong(): boolean {
    return this.parts.log.unwritten > this.parts.turnBytes
  }

  run(): void {
    if (this.slots.length === 0) return
    const { clock, putTimes } = this.parts
    const begunMs = clock.monotonic()
    try {
      this.parts.log.writeTurn()
      assert(
        this.slots.at(-1)!.end === this.parts.log.written,
        'the last message of a turn ends where it is written to',
      )
    } catch (error) {
      this.failed(error)
      return
    }
    this.writtenAtMs = clock.monotonic()
    this.writeMs = this.writtenAtMs - begunMs
    putTimes.add(this.writeMs, this.slots.length)
    const needsSync = this.dispatchAll()
    this.slots.length = 0
    this.records.clear()
    this.parts.flush.written(needsSync)
    if (this.arrivals.length > 0) this.wake?.arm()
  }

  /** The log cannot grow: the turn so far is written, and nothing more is taken until the disk can be written again. */
  stuck(error: unknown): void {
    this.run()
    this.becomeReadOnly(error)
  }

  /** Fails every append of the turn and takes its bytes back: nothing of it is acknowledged, now or later. */
  private failed(error: unknown): void {
    const remark = this.becomeReadOnly(error)
    this.parts.log.rollback()
    for (const { queue } of this.slots) queue!.nextOffset = queue!.maxOffset
    this.refuse(0, remark)
  }

  /** Dispatches the turn, and hands it on; returns whether somebody waits for an fdatasync. */
  private dispatchAll(): boolean {
    const { putTimes } = this.parts
    let needsSync = false
    let done = 0
    try {
      for (const slot of this.slots) {
        needsSync ||= slot.needsSync
        this.dispatch(slot)
        slot.writtenAtMs = this.writtenAtMs
        slot.result.writeMs = this.writeMs
        putTimes.messages += slot.result.count
        putTimes.bytes += slot.result.size
        this.parts.answers.add(slot)
        done++
      }
    } catch (error) {
      // Messages are in the log and in no queue: only a start makes that good.
      this.parts.health.fault(error)
      this.refuse(done, `the message is written, and could not be dispatched: ${String(error)}`)
      throw error
    }
    return needsSync
  }

  /** Ends the turn: its appends from the one at `from` on have failed. */
  private refuse(from: number, remark: string): void {
    for (const slot of this.slots.slice(from)) {
      slot.result.status = 'failed'
      slot.result.physicalOffset = -1
      slot.result.count = 0
      slot.result.size = 0
      slot.result.remark = remark
      slot.needsSync = false
      slot.needsSlave = false
      this.parts.answers.add(slot)
    }
    this.slots.length = 0
    this.records.clear()
  }

  /** The log could not be written: nothing is taken until it can be. Returns the remark. */
  becomeReadOnly(error: unknown): string {
    const remark = `the commit log could not be written: ${String(error)}; the store is read-only until a write succeeds`
    this.parts.health.distrust(error)
    this.parts.health.set('log write', remark)
    this.parts.onFailed()
    return remark
  }

  private dispatch(slot: PutSlot): void {
    const { record, records } = this
    const queue = slot.queue!
    const { queueOffset, physicalOffset } = slot.result
    assert(
      (queueOffset === queue.maxOffset || !slot.hasQueueEntry) && physicalOffset >= queue.maxPhysicalOffset,
      'messages come into their queue at its end, in the order of the log',
    )
    record.bytes = slot.chunk!.bytes
    record.physicalOffset = physicalOffset
    record.sysFlag = slot.sysFlag
    record.storedAtMs = slot.result.storedAtMs
    record.hasQueueEntry = slot.hasQueueEntry
    let end = slot.at
    for (let i = slot.firstRecord, last = i + slot.result.count; i < last; i++) {
      record.size = records.sizes[i]!
      record.propertiesLength = records.propertiesLengths[i]!
      record.plainTail = records.plainTails[i]!
      end += record.size
      record.propertiesAt = end - record.propertiesLength
      this.parts.dispatch.both(record, queue)
      record.physicalOffset += record.size
    }
    this.note(queue)
  }

  /** A queue has messages that came another way than through a turn. */
  arrived(queue: ConsumeQueue): void {
    this.note(queue)
    this.wake?.arm()
  }

  /** A queue begins anew: what is known of its offsets is of another life. */
  restarted({ topic, queueId }: ConsumeQueue): void {
    for (const listener of this.listeners) listener.restarted?.(topic, queueId)
  }

  private note(queue: ConsumeQueue): void {
    if (queue.hasArrivals) return
    queue.hasArrivals = true
    this.arrivals.push(queue)
  }

  private tellArrivals(): void {
    for (const queue of this.arrivals) {
      queue.hasArrivals = false
      for (const listener of this.listeners) listener.arrived(queue.topic, queue.queueId, queue.maxOffset)
    }
    this.arrivals.length = 0
  }
}
