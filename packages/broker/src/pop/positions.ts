import { retryPrefix, reviveGroup, wheelTimerTopic } from '@skua-mq/protocol'
import { type Clock, every, type Timer } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { type OffsetTable, positionsGroup } from '../offset/offset-table.ts'
import type { PendingResets } from '../offset/pending-resets.ts'
import { timerQueue } from './check-point.ts'
import type { CheckPoints } from './check-points.ts'
import type { OrderPlace } from './order-table.ts'

/** Where a group goes on in a queue that it pops. */
export interface Position {
  readonly topic: string
  readonly group: string
  readonly queueId: number
  next: number
  /** What the table of offsets has; another value there is an administrator's. */
  committed: number
  /** A pop is at work in the queue. */
  isLocked: boolean
  /** False where the table of offsets has no room for it: what is popped from here would be popped again, acknowledged or not. */
  readonly isKept: boolean
}

export interface PositionsParts {
  readonly clock: Clock
  readonly store: Pick<MessageStore, 'minOffset' | 'maxOffset' | 'maxPhysicalOffset' | 'firstMessageInMemory' | 'sync'>
  readonly offsets: OffsetTable
  readonly resets: Pick<PendingResets, 'take'>
  readonly points: CheckPoints
  readonly reviveTopic: string
  readonly reviveQueues: () => number
  /** maxPopRereadRecords */
  readonly rereadLimit: () => number
  /** An administrator has moved a group: what it took in order counts nothing. */
  readonly wasReset: (place: OrderPlace) => void
  /** initPopOffsetByCheckMsgInMem */
  readonly checkInMemory: boolean
}

/** How often what groups have popped is brought into the table of offsets, when it is on the medium. */
export const commitEveryMs = 1000

const who = 'pop'

/**
 * How far groups have popped. A pop moves its group at once in memory, and in consumerOffset.json only when its check point
 * is on the medium: a power cut that takes the check point must leave the group before its messages. What the file is behind,
 * a start finds in the check points.
 */
export class PopPositions {
  private readonly parts: PositionsParts
  private readonly positions = new Map<string, Position>()
  private timer: Timer | undefined
  private committing: Promise<void> | undefined
  /** Something was popped or settled since the last commit. */
  private changed = false
  /** The first record of the timer's topic that the start could not read. */
  private kept = Number.POSITIVE_INFINITY
  /** Not at a slave: what its table says of pops is its master's. */
  private isRunning = false
  startedAtMs = 0
  /** Where the log ended then, physical. */
  startedAtOffset = 0

  constructor(parts: PositionsParts) {
    this.parts = parts
    parts.offsets.beforeSettled(() => this.settled())
  }

  /**
   * Resolves when the table of offsets knows of all that is popped now. Who moves a group by hand is answered behind that: a
   * start would find the pops of before, and move the group on again.
   */
  private async settled(): Promise<void> {
    await this.committing
    await this.commit()
  }

  start(): void {
    this.isRunning = true
    this.startedAtMs = this.parts.clock.now()
    this.startedAtOffset = this.parts.store.maxPhysicalOffset
    this.timer = every(this.parts.clock, commitEveryMs, () => (this.changed ? this.commit() : this.sweep()))
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    await this.committing
    if (this.changed) await this.commit()
    this.isRunning = false
  }

  /** Something was settled: less has to be read again. */
  touch(): void {
    this.changed = true
  }

  /** `initMode`: 0 begins at the first message where the group was never here. */
  at(topic: string, group: string, queueId: number, initMode: number): Position {
    const key = `${topic}@${group}@${queueId}`
    const known = this.positions.get(key)
    const { offsets, resets } = this.parts
    const inTable = offsets.find(group, topic, queueId)
    // Who is at work goes on from where it read.
    if (known?.isLocked === true) return known
    const reset = resets.take({ group, topic, queueId })
    if (known !== undefined && inTable === known.committed && reset === undefined) return known
    if (reset !== undefined) this.parts.wasReset({ topic, group, queueId })
    const { offset: committed, isKept } =
      inTable === undefined ? this.begin(topic, group, queueId, initMode) : { offset: inTable, isKept: true }
    const position = { topic, group, queueId, next: reset ?? committed, committed, isLocked: false, isKept }
    // Of names that peers make up nothing is remembered either.
    if (isKept) this.positions.set(key, position)
    else this.positions.delete(key)
    return position
  }

  /** A start is to read from here on again, while that is not too much: the disk may give it then. */
  keepFrom(queueOffset: number): void {
    this.kept = Math.min(this.kept, queueOffset)
  }

  /** Without making anything. */
  peek(topic: string, group: string, queueId: number): number {
    const known = this.positions.get(`${topic}@${group}@${queueId}`)
    const inTable = this.parts.offsets.find(group, topic, queueId)
    if (known !== undefined && inTable === known.committed) return known.next
    return inTable ?? this.parts.store.minOffset(topic, queueId)
  }

  move(position: Position, next: number): void {
    position.next = next
    this.changed = true
  }

  /** At a start: a check point says that the group was there. */
  raise(topic: string, group: string, queueId: number, next: number): void {
    const position = this.at(topic, group, queueId, 0)
    if (position.next < next) this.move(position, next)
  }

  /** A group that was never here: the end, but the beginning of a young queue, as everywhere in RocketMQ. */
  private begin(topic: string, group: string, queueId: number, initMode: number): { offset: number; isKept: boolean } {
    const { store, offsets, checkInMemory } = this.parts
    const min = store.minOffset(topic, queueId)
    const isYoung = checkInMemory && min <= 0 && store.firstMessageInMemory(topic, queueId)
    const fromFirst = initMode === 0 || topic.startsWith(retryPrefix)
    const offset = fromFirst ? min : isYoung ? 0 : Math.max(0, store.maxOffset(topic, queueId) - 1)
    return { offset, isKept: offsets.commit({ group, topic, queueId, offset, who }) }
  }

  /**
   * Brings into the table of offsets what is on the medium. One at a time; resolves when it is done, also where the disk
   * refused, and then the next one tries again.
   */
  commit(): Promise<void> {
    if (!this.isRunning) return Promise.resolve()
    // A broker at which nobody pops has nothing of it in its files.
    if (this.positions.size === 0 && this.parts.store.maxOffset(wheelTimerTopic, 0) === 0) return Promise.resolve()
    this.committing ??= this.commitSynced().finally(() => {
      this.committing = undefined
    })
    return this.committing
  }

  private async commitSynced(): Promise<void> {
    const { store } = this.parts
    this.changed = false
    const moved = [...this.positions].map(([key, position]) => ({ key, position, next: position.next }))
    const timerEnd = store.maxOffset(wheelTimerTopic, 0)
    const bases = this.bases(timerEnd)
    if (!(await store.sync())) {
      this.changed = true
      return
    }
    for (const { key, position, next } of moved) this.commitOne(key, position, next)
    for (const [queueId, offset] of bases.revive) this.put(this.parts.reviveTopic, reviveGroup, queueId, offset)
    this.put(wheelTimerTopic, reviveGroup, 0, bases.timer)
    this.put(wheelTimerTopic, positionsGroup, 0, timerEnd)
  }

  /** What the table of offsets knows is not kept here as well. */
  private sweep(): undefined {
    for (const [key, { next, committed, isLocked }] of this.positions)
      if (next === committed && !isLocked) this.positions.delete(key)
  }

  private commitOne(key: string, position: Position, next: number): void {
    if (this.positions.get(key) !== position) return
    const { offsets } = this.parts
    const { topic, group, queueId, committed } = position
    // Whoever moved it meanwhile wins, and the next pop sees it.
    if (offsets.find(group, topic, queueId) !== committed) return
    if (next !== committed) {
      if (!offsets.commit({ group, topic, queueId, offset: next, who })) return
      // A reset that nobody has heard of yet keeps it.
      if (offsets.find(group, topic, queueId) !== next) return
      position.committed = next
    }
    if (position.next === position.committed && !position.isLocked) this.positions.delete(key)
  }

  private put(topic: string, group: string, queueId: number, offset: number): void {
    this.parts.offsets.commit({ topic, group, queueId, offset, who })
  }

  /** Where a start has to read from; Java names of a revive queue what is done with, not what is next. */
  private bases(timerEnd: number): { timer: number; revive: [number, number][] } {
    const { points, store, reviveTopic, reviveQueues, rereadLimit } = this.parts
    const revive: [number, number][] = []
    for (let queueId = 0; queueId < reviveQueues(); queueId++) {
      const end = store.maxOffset(reviveTopic, queueId)
      if (end > 0) revive.push([queueId, (points.baseOf(queueId + 1) ?? end) - 1])
    }
    if (this.kept < timerEnd - rereadLimit()) this.kept = Number.POSITIVE_INFINITY
    return { timer: Math.min(points.baseOf(timerQueue) ?? timerEnd, this.kept), revive }
  }

  topicDeleted(isOf: (topic: string, group: string) => boolean): void {
    for (const [key, { topic, group }] of this.positions) if (isOf(topic, group)) this.positions.delete(key)
  }

  groupDeleted(group: string): void {
    for (const [key, position] of this.positions) if (position.group === group) this.positions.delete(key)
  }
}
