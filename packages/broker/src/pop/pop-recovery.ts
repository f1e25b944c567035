import {
  ackBody,
  checkPointBody,
  goneGroupBody,
  PropertyName,
  reviveGroup,
  reviveTopicPrefix,
  type StoredMessage,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import type { Disk } from '@skua-mq/runtime'
import { defineEvent, type Events, isBadPlace } from '@skua-mq/runtime'
import {
  decodeTimerCheckpoint,
  type MessageStore,
  noTimerCheckpoint,
  ownReadMsIn,
  type QueueEntry,
} from '@skua-mq/store'
import { type OffsetTable, positionsGroup } from '../offset/offset-table.ts'
import { readQueue, type UnreadableMessage } from '../record/queue-reader.ts'
import { CheckPoint, type JournalQueue, keyOf, maxPopped, timerQueue } from './check-point.ts'
import type { CheckPoints } from './check-points.ts'
import type { PopJournal } from './journal.ts'
import type { PopPositions } from './positions.ts'
import type { RetryTopics } from './retry-topics.ts'
import { TornRevival } from './torn-revival.ts'

export const popsRecovered = defineEvent<{ checkPoints: number; records: number }>('pops in flight were read', 'info')
/** What it says of pops counts as not said: a message may come again, and one of a check point may not. */
export const popRecordUnreadable = defineEvent<{
  topic: string
  queueOffset: number
  physicalOffset: number
  error: string
}>('a check point or acknowledgement does not read', 'warn')
/** Where there are more than are told one by one. */
export const popRecordsUnreadable = defineEvent<{ count: number }>('records of pops that do not read', 'error')

export interface PopRecoveryParts {
  readonly store: Pick<MessageStore, 'get' | 'maxOffset' | 'minOffset' | 'queue' | 'readRecord'>
  readonly events: Events
  readonly disk: Disk
  /** config/timercheck of the store directory: Java's, where one was here. */
  readonly timerCheckPath: string
  readonly offsets: Pick<OffsetTable, 'find'>
  readonly points: CheckPoints
  readonly positions: PopPositions
  readonly journal: PopJournal
  readonly retries: Pick<RetryTopics, 'of'>
  readonly reviveTopic: string
  readonly reviveQueues: () => number
}

/**
 * How far timers had come in the timer's topic. Those of RocketMQ have moved what is due before into the revive topic; ours drop it, since
 * pops are looked after here.
 */
interface JavaTimer {
  /** Ours had come up to here. */
  readonly ownMs: number
  readonly readToMs: number
  readonly queueOffset: number
}

/** Records that do not read and are told one by one. */
const maxTold = 16

/** Acknowledgements whose check points are not read yet; more are of none. */
const maxOrphans = 100_000

/**
 * Reads check points and acknowledgements out of the log, so that what was popped and not settled before a stop, a kill or a
 * power cut is in memory again: the revive queues, to which a Java broker has moved some, then the timer's topic.
 */
export class PopRecovery {
  private readonly parts: PopRecoveryParts
  private readonly found = new Map<string, CheckPoint>()
  private readonly orphans = new Map<string, number[]>()
  private readonly entry: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  private records = 0
  private unreadable = 0
  /** Of the last record of pops, physical. */
  private lastJournalOffset = -1

  constructor(parts: PopRecoveryParts) {
    this.parts = parts
  }

  async run(): Promise<void> {
    const { store, offsets, reviveTopic, reviveQueues, points, events } = this.parts
    const tell = (message: UnreadableMessage) => this.tell(reviveTopic, message)
    for (let queueId = 0; queueId < reviveQueues(); queueId++) {
      const done = offsets.find(reviveGroup, reviveTopic, queueId) ?? -1
      const queue = { topic: reviveTopic, queueId, unreadable: tell }
      for await (const message of readQueue(store, queue, done + 1)) this.take(message, queueId + 1, true)
    }
    await this.readTimers()
    this.settleChanged()
    await this.settleTorn()
    for (const point of this.found.values()) points.add(point)
    if (this.records > 0) events.emit(popsRecovered({ checkPoints: points.size, records: this.records }))
    if (this.unreadable > maxTold) events.emit(popRecordsUnreadable({ count: this.unreadable }))
    this.found.clear()
    this.orphans.clear()
  }

  private async readTimers(): Promise<void> {
    const { store, offsets, positions } = this.parts
    const timer = this.javaTimer()
    const from = offsets.find(reviveGroup, wheelTimerTopic, 0) ?? 0
    const known = offsets.find(positionsGroup, wheelTimerTopic, 0) ?? 0
    const unreadable = (message: UnreadableMessage) => {
      this.tell(wheelTimerTopic, message)
      // The disk may give it another time.
      if (message.queueOffset >= 0) positions.keepFrom(message.queueOffset)
    }
    for await (const message of readQueue(store, { topic: wheelTimerTopic, queueId: 0, unreadable }, from)) {
      this.lastJournalOffset = message.physicalOffset
      // Whatever the name of the cluster was: the topic has it in its own.
      if (message.properties.get(PropertyName.realTopic)?.startsWith(reviveTopicPrefix) !== true) continue
      const isMoved =
        message.queueOffset < timer.queueOffset &&
        isBetween(Number(message.properties.get(PropertyName.timerOutMs)), timer)
      if (!isMoved) this.take(message, timerQueue, message.queueOffset >= known)
    }
  }

  private tell(topic: string, { queueOffset, physicalOffset, error }: UnreadableMessage): void {
    if (++this.unreadable > maxTold) return
    this.parts.events.emit(popRecordUnreadable({ topic, queueOffset, physicalOffset, error }))
  }

  /** What a kill has kept from being said: that a message is settled whose copy lies in the retry topic. */
  private async settleTorn(): Promise<void> {
    const { lastJournalOffset } = this
    const unreadable = (topic: string, message: UnreadableMessage) => this.tell(topic, message)
    const torn = new TornRevival({ ...this.parts, lastJournalOffset, unreadable })
    for (const point of this.found.values()) {
      const offset = await torn.of(point)
      if (offset === undefined) continue
      this.settle(point, offset)
      return
    }
  }

  /** The same of a change of the invisible time: the new check point is there, and the former one has not ended. */
  private settleChanged(): void {
    const owners = new Map<string, CheckPoint>()
    for (const point of [...this.found.values()]) {
      const { topic, group, queueId } = point
      for (const offset of point.offsetsWithout(point.settled)) {
        const key = `${topic}@${group}@${queueId}@${offset}`
        const former = owners.get(key)
        if (former !== undefined && point.diffs.length === 1) this.settle(former, offset)
        owners.set(key, point)
      }
    }
  }

  private settle(point: CheckPoint, offset: number): void {
    point.settled |= point.bitOf(offset)
    this.parts.journal.ack(point, [offset], { stored: () => {} }, false)
    if (point.isSettled) this.found.delete(point.key)
  }

  /** The time and the place that timers have read up to. */
  private javaTimer(): JavaTimer {
    const { disk, timerCheckPath } = this.parts
    const bytes = disk.stat(timerCheckPath) === undefined ? Buffer.alloc(0) : disk.readFile(timerCheckPath)
    const { readMs, queueOffset } = decodeTimerCheckpoint(bytes) ?? noTimerCheckpoint
    return { readToMs: readMs, queueOffset, ownMs: ownReadMsIn(bytes) }
  }

  private take(message: StoredMessage, queue: JournalQueue, isNews: boolean): void {
    this.records++
    try {
      const tag = message.properties.get(PropertyName.tags)
      if (tag === 'ck') this.takePoint(message, queue, isNews)
      else if (tag === 'ack' || tag === 'bAck') this.takeAck(message, queue)
      else if (tag === 'gone') this.takeGone(message)
    } catch (error) {
      this.tell(message.topic, { ...message, error: (error as Error).message })
    }
  }

  private takePoint(message: StoredMessage, queue: JournalQueue, isNews: boolean): void {
    const body = checkPointBody.decode(message.body)
    const { t: topic, c: group, q: queueId, so: startOffset, pt: popTime, it: invisibleTime, n } = body
    if (topic === '' || group === '' || n < 0 || n > maxPopped) return
    const diffs = body.d ?? Array.from({ length: n }, (_, at) => at)
    const reviveQid = queue === timerQueue ? Number(message.properties.get(PropertyName.realQueueId)) : queue - 1
    const names = { topic, group, queueId, startOffset, popTime }
    const point = new CheckPoint({ ...names, invisibleTime, reviveQid, brokerName: body.bn ?? '', diffs })
    if (queue === timerQueue) {
      point.recordedAt = message.physicalOffset
      if (!this.isOfThisLife(point)) return
    }
    // One that was written again says nothing new: the group may have been reset meanwhile.
    if (isNews && body.rp === undefined) this.parts.positions.raise(topic, group, queueId, point.endOffset)
    if (this.found.has(point.key)) return
    point.settled = body.bm
    for (const offset of this.orphans.get(point.key) ?? []) point.settled |= point.bitOf(offset)
    this.orphans.delete(point.key)
    if (point.isSettled) return
    point.queue = queue
    point.place = message.queueOffset
    this.found.set(point.key, point)
  }

  /** Whether its messages are of the queue that is there: not where the topic is deleted, or was, and made again. */
  private isOfThisLife({ topic, queueId, endOffset, recordedAt }: CheckPoint): boolean {
    const queue = this.parts.store.queue(topic, queueId)
    if (queue === undefined || queue.maxOffset < endOffset) return false
    try {
      return queue.entries(queue.minOffset, this.entry) === 0 || this.entry[0]!.physicalOffset < recordedAt
    } catch (error) {
      // The check point can be read: what it says must not be lost for a bad place of another file.
      if (!isBadPlace(error)) throw error
      return true
    }
  }

  /** The group was deleted: what lies before is nobody's. */
  private takeGone({ body, physicalOffset }: StoredMessage): void {
    const { c: group, to = physicalOffset } = goneGroupBody.decode(body)
    for (const [key, point] of this.found) if (point.group === group && point.isBefore(to)) this.found.delete(key)
    this.parts.positions.groupDeleted(group)
  }

  private takeAck(message: StoredMessage, queue: JournalQueue): void {
    const { t: topic, c: group, q: queueId, so: startOffset, pt: popTime, ao, aol } = ackBody.decode(message.body)
    const key = keyOf({ topic, group, queueId, startOffset, popTime })
    const offsets = aol ?? [ao]
    const point = this.found.get(key)
    if (point === undefined) {
      // In the timer's topic they lie behind their check points: what has none there is of one that is settled.
      if (queue !== timerQueue && this.orphans.size < maxOrphans)
        this.orphans.set(key, [...(this.orphans.get(key) ?? []), ...offsets])
      return
    }
    for (const offset of offsets) point.settled |= point.bitOf(offset)
    if (point.isSettled) this.found.delete(key)
  }
}

const isBetween = (outMs: number, { ownMs, readToMs }: JavaTimer): boolean => outMs >= ownMs && outMs < readToMs
