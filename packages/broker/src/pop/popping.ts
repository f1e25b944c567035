import { type PopView, ResponseCode } from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import { GetRequest, GetResult, type MessageFilter, type MessageStore } from '@skua-mq/store'
import { CheckPoint, keyOf } from './check-point.ts'
import type { CheckPoints } from './check-points.ts'
import type { PopJournal } from './journal.ts'
import type { OrderTable } from './order-table.ts'
import { offsetsIn, type Taken } from './pop-answer.ts'
import type { PopPositions, Position } from './positions.ts'

/** A queue that a pop looks into. */
export interface PopTarget {
  readonly topic: string
  readonly queueId: number
  readonly isRetry: boolean
}

export interface PoppingParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly store: Pick<MessageStore, 'get' | 'minOffset' | 'maxOffset'>
  readonly positions: PopPositions
  readonly points: CheckPoints
  readonly journal: PopJournal
  readonly orders: OrderTable
  readonly brokerName: string
}

/** What a pop looks for, and for whom. */
export interface PopWish {
  readonly view: PopView
  readonly token: ReplyToken
  readonly filter: MessageFilter | undefined
  readonly targets: readonly PopTarget[]
  readonly popTime: number
  readonly reviveQid: number
}

/** Once it has this many bytes a pop looks into no further queue. */
const maxPopBytes = 1024 * 1024
/**
 * So long a pop looks into further queues: a disk may take seconds for each, and then not give it. Consumers wait for some seconds
 * more than they want to be held.
 */
const maxLookMs = 5000

/**
 * One pop: reads its queues one after another, in this turn as long as what it reads is in memory, and writes a check point
 * of each queue that had messages. A queue stays locked until its check point is written: nothing is taken twice, and what
 * could not be written is as if it had not been taken.
 */
export class Popping {
  readonly wish: PopWish
  readonly taken: Taken[] = []
  /** Messages that are left in the queues. */
  rest = 0
  /** Messages were passed over which the filter does not want: there may be others behind them. */
  hasPassed = false
  /** In order: queues that are blocked, and when they are free, wall clock. */
  readonly blocked: { readonly queueId: number; readonly freeAtMs: number }[] = []
  /** Why nothing could be taken. */
  refusal: string | undefined
  /** There are queues for which no time was left. */
  isLate = false
  /** No further check point has room in memory. */
  isFull = false
  private readonly parts: PoppingParts
  private readonly done: () => void
  private readonly request = new GetRequest()
  private readonly untilMs: number
  private at = 0
  private count = 0
  private bytes = 0
  private unwritten = 0

  constructor(parts: PoppingParts, wish: PopWish, done: () => void) {
    this.parts = parts
    this.wish = wish
    this.done = done
    this.untilMs = parts.clock.monotonic() + maxLookMs
  }

  run(): void {
    try {
      this.proceed()
    } catch (error) {
      this.fail(error)
    }
  }

  private proceed(): void {
    const { targets } = this.wish
    while (this.at < targets.length) {
      const reading = this.look(targets[this.at++]!)
      if (reading === undefined) continue
      this.readLater(reading)
      return
    }
    this.done()
  }

  /** From the disk: on the account of who waits for it. */
  private readLater(reading: Promise<void>): void {
    const { token } = this.wish
    const { connection } = token
    const { account } = connection
    const reserved = account.reserve()
    reading
      .then(() => this.run())
      .catch(error => this.fail(error))
      .finally(() => {
        account.readBrought(this.bytes)
        account.giveBack(reserved)
        connection.relax()
      })
  }

  /** A fault of ours costs this pop only: nothing stays locked. */
  private fail(error: unknown): void {
    this.unlock()
    this.release()
    const { token } = this.wish
    const remark = `the pop failed: ${String((error as Error)?.message)}`
    if (token.waiting) token.answer(ResponseCode.systemError, undefined, { remark })
  }

  private look(target: PopTarget): Promise<void> | undefined {
    const { store, positions, points } = this.parts
    const { view } = this.wish
    const max = store.maxOffset(target.topic, target.queueId)
    const position = positions.at(target.topic, view.consumerGroup, target.queueId, view.initMode)
    if (!position.isKept) {
      this.refusal = 'the table of offsets of this broker is full: the group has no place in it'
      return undefined
    }
    if (position.next > max && !position.isLocked) positions.move(position, max)
    const left = Math.max(0, max - position.next)
    if (left === 0 || this.isBlocked(target)) return undefined
    const isEnough = this.count >= view.maxMsgNums || this.bytes >= maxPopBytes
    this.isFull ||= !view.order && !points.hasRoom
    // One at least was read, or tried.
    this.isLate ||= this.at > 1 && this.parts.clock.monotonic() >= this.untilMs
    if (isEnough || this.isFull || this.isLate || position.isLocked || this.isTwice(target, position)) {
      this.rest += left
      return undefined
    }
    position.isLocked = true
    return this.read(target, position)
  }

  /** Popped at the same offset in the same millisecond, as after a reset: the next one is another. */
  private isTwice({ topic, queueId }: PopTarget, { next, group }: Position): boolean {
    const key = keyOf({ topic, group, queueId, startOffset: next, popTime: this.wish.popTime })
    return this.parts.points.has(key)
  }

  private isBlocked({ topic, queueId }: PopTarget): boolean {
    const { view, popTime } = this.wish
    if (!view.order) return false
    const freeAtMs = this.parts.orders.freeAt({ topic, group: view.consumerGroup, queueId }, view.attemptId)
    if (freeAtMs <= popTime) return false
    this.blocked.push({ queueId, freeAtMs })
    return true
  }

  private read(target: PopTarget, position: Position): Promise<void> | undefined {
    const { request } = this
    const { view, filter } = this.wish
    request.topic = target.topic
    request.queueId = target.queueId
    request.offset = position.next
    request.maxCount = view.maxMsgNums - this.count
    request.filter = filter
    const result = new GetResult()
    const failed = (error: unknown) => {
      position.isLocked = false
      result.release()
      // The others may have something.
      this.refusal = `reading failed: ${String((error as Error)?.message)}`
    }
    let reading: Promise<void> | undefined
    try {
      reading = this.parts.store.get(request, result)
    } catch (error) {
      failed(error)
      return undefined
    }
    if (reading === undefined) return this.found(target, position, result)
    return reading.then(() => this.found(target, position, result), failed)
  }

  /** The topic may have been deleted during a read: then there is nothing, and nobody has the position. */
  private found(target: PopTarget, position: Position, result: GetResult): Promise<void> | undefined {
    const { positions } = this.parts
    if (result.status === 'found') {
      this.take(target, position, result)
      return undefined
    }
    position.isLocked = false
    const { nextOffset, maxOffset } = result
    result.release()
    this.rest += Math.max(0, maxOffset - nextOffset)
    this.hasPassed ||= nextOffset > position.next && nextOffset < maxOffset
    if (nextOffset !== position.next) positions.move(position, nextOffset)
    return undefined
  }

  private take(target: PopTarget, position: Position, result: GetResult): void {
    const { positions } = this.parts
    const offsets = offsetsIn(result.slices)
    const taken = { ...target, startOffset: position.next, offsets, result, position }
    if (offsets.length === 0) {
      // Nothing there is a message.
      position.isLocked = false
      positions.move(position, result.nextOffset)
      result.release()
      return
    }
    this.count += offsets.length
    this.bytes += result.bytes
    this.rest += Math.max(0, result.maxOffset - result.nextOffset)
    this.taken.push(taken)
    // What is taken in order is settled by offsets alone: the group moves when it acknowledges.
    if (!this.wish.view.order) this.write(taken, position)
  }

  private write({ topic, queueId, startOffset, offsets, result }: Taken, position: Position): void {
    const { journal, positions, points, brokerName } = this.parts
    const { view, popTime, reviveQid } = this.wish
    const diffs = offsets.map(offset => offset - startOffset)
    const { consumerGroup: group, invisibleTime } = view
    const { nextOffset } = result
    const parts = { topic, group, queueId, startOffset, popTime, invisibleTime, reviveQid, brokerName, diffs }
    const point = new CheckPoint(parts)
    this.unwritten++
    points.comes(point)
    journal.checkPoint(point, {
      stored: put => {
        position.isLocked = false
        if (put.isStored) {
          point.place = put.queueOffset
          point.recordedAt = put.physicalOffset
          points.add(point)
          positions.move(position, nextOffset)
        } else {
          points.comesNot(point)
          this.giveBack(topic, queueId, put.remark === '' ? put.status : put.remark)
        }
        this.unwritten--
        if (this.unwritten === 0) this.onWritten?.()
      },
    })
  }

  /** Nothing of this queue goes out. */
  private giveBack(topic: string, queueId: number, why: string): void {
    const at = this.taken.findIndex(taken => taken.topic === topic && taken.queueId === queueId)
    const [taken] = this.taken.splice(at, 1)
    taken?.result.release()
    this.refusal = why
  }

  private onWritten: (() => void) | undefined

  /** Runs when no check point is on its way any more: now, or at the end of this turn. */
  whenWritten(run: () => void): void {
    if (this.unwritten === 0) run()
    else this.onWritten = run
  }

  /** What was taken in order is noted, or given up. */
  unlock(): void {
    for (const { position } of this.taken) position.isLocked = false
  }

  release(): void {
    for (const { result } of this.taken) result.release()
  }
}
