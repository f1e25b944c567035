import { PropertyName, popOriginOf, RecordAt, readLong, wheelTimerTopic } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, type Timer } from '@skua-mq/runtime'
import { type Draft, GetRequest, GetResult, type MessageStore, PutResult } from '@skua-mq/store'
import { isRefusedForGood } from '../record/refused-for-good.ts'
import { propertiesOf, setProperties } from '../record/rewrite.ts'
import { type CheckPoint, timerQueue } from './check-point.ts'
import type { CheckPoints } from './check-points.ts'
import type { PopJournal } from './journal.ts'
import type { PopPositions } from './positions.ts'
import { retryCopy } from './retry-copy.ts'
import type { RetryTopics } from './retry-topics.ts'

/** Told once for one cause. */
export const revivalPaused = defineEvent<{ remark: string }>('messages that were not acknowledged wait', 'warn')
/** The store will never take it: it is kept elsewhere. */
export const poppedMessageKept = defineEvent<{
  topic: string
  group: string
  queueId: number
  queueOffset: number
  why: string
  keptIn: string
}>('a popped message cannot be retried', 'error')

export interface RevivalParts {
  readonly clock: Clock
  readonly events: Events
  readonly store: Pick<MessageStore, 'append' | 'get' | 'maxOffset' | 'queue' | 'refusing'>
  readonly points: CheckPoints
  readonly positions: PopPositions
  readonly journal: PopJournal
  readonly retries: RetryTopics
  readonly hasTopic: (topic: string) => boolean
  /** Makes one that is not known; false where that may not be. */
  readonly ensureGroup: (group: string) => boolean
  /** Makes the topic for what the store refuses for good, and says its name. */
  readonly undeliverable: () => string
  /**
   * maxPopRereadRecords: an open check point with so many records behind it is written once more, at the end, so that a start
   * need not read them all.
   */
  readonly rereadLimit: () => number
  /** Told of each message that was laid into a retry topic. */
  readonly revived?: (topic: string, result: PutResult) => void
}

/** Written again in one round. */
const refreshedAtOnce = 500

/** How often it is looked for messages whose time is over, while there are any. */
export const reviveEveryMs = 200
/** Check points in one go. */
const batchSize = 500
/** After a refusal or an error. */
const pauseMs = 1000
/** The longest time between two tries of what lies at a bad place of the disk. */
const longestPauseMs = 60_000

/**
 * Messages whose invisible time is over come again: a copy goes into the group's retry topic, and right behind it into the
 * log that the message is settled. So whoever acknowledges the copy does so behind both: a start that finds that
 * acknowledgement finds the message settled, too.
 */
export class Revival {
  private readonly parts: RevivalParts
  private readonly request = new GetRequest()
  private timer: Timer | undefined
  private working: Promise<void> | undefined
  private stopped = true
  private refreshing = 0
  /** Those that did not succeed, how long each waits for its next try, and the causes that are told. */
  private readonly failing = new Map<CheckPoint, number>()
  private readonly told = new Set<string>()

  constructor(parts: RevivalParts) {
    this.parts = parts
    this.request.maxCount = 1
  }

  start(): void {
    this.stopped = false
    this.arm(reviveEveryMs)
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.working
  }

  private arm(ms: number): void {
    if (this.stopped) return
    this.timer = this.parts.clock.after(
      ms,
      () => {
        this.working = this.round().then(pause => {
          this.working = undefined
          this.arm(pause)
        })
      },
      () => this.parts.points.restMs(),
    )
  }

  /** Returns when to look again. */
  private async round(): Promise<number> {
    const { points, store, events } = this.parts
    this.refresh()
    const due = points.due(batchSize)
    if (due.length === 0) return reviveEveryMs
    if (store.refusing !== undefined) return pauseMs
    for (const point of due) {
      if (this.stopped) return 0
      try {
        await this.revive(point)
        this.failing.delete(point)
      } catch (error) {
        const remark = (error as Error).message
        if (!this.told.has(remark)) events.emit(revivalPaused({ remark }))
        this.told.add(remark)
        const waitMs = Math.min((this.failing.get(point) ?? pauseMs / 2) * 2, longestPauseMs)
        this.failing.set(point, waitMs)
        if (store.refusing !== undefined) return pauseMs
        // It may be this one alone: what lies at a bad place of the disk must not keep all others.
        points.postpone(point, waitMs)
      }
    }
    this.forgetCauses()
    return due.length < batchSize ? reviveEveryMs : 0
  }

  /** A cause that came back is told again. */
  private forgetCauses(): void {
    for (const point of this.failing.keys()) if (!this.parts.points.holds(point)) this.failing.delete(point)
    if (this.failing.size === 0) this.told.clear()
  }

  /** None is on its way twice: the next round waits for the answers. */
  private refresh(): void {
    const { points, journal, positions, store, rereadLimit } = this.parts
    if (this.refreshing > 0 || store.refusing !== undefined) return
    const place = store.maxOffset(wheelTimerTopic, 0) - rereadLimit()
    for (const point of points.before(timerQueue, place, refreshedAtOnce)) {
      // An acknowledgement on its way would lie before the new record, and not be read.
      if (point.pending !== 0) continue
      this.refreshing++
      const stored = (result: PutResult) => {
        this.refreshing--
        if (!result.isStored) return
        points.replace(point, timerQueue, result.queueOffset)
        positions.touch()
      }
      journal.checkPoint(point, { stored }, true)
    }
  }

  /** Throws where the store does not take it now. */
  private async revive(point: CheckPoint): Promise<void> {
    const { points } = this.parts
    if (this.isGone(point)) {
      points.drop(point)
      return
    }
    this.mustBeKnown(point)
    const offsets = point.offsetsWithout(point.settled | point.pending)
    let unreadable: Error | undefined
    for (const offset of offsets) {
      // Its topic or its group may have been deleted meanwhile.
      if (!points.holds(point)) return
      let record: Buffer | undefined
      try {
        record = await this.read(point, offset)
      } catch (error) {
        // What lies at a bad place of the disk must not keep those that were popped with it.
        unreadable ??= error as Error
        continue
      }
      if (this.stopped || !points.holds(point)) return
      const bit = point.bitOf(offset)
      // It may have been acknowledged while the disk was read.
      if (((point.settled | point.pending) & bit) !== 0) continue
      // Retention took it: nobody can have it any more.
      if (record === undefined) points.settle(point, bit)
      else if (readLong(record, RecordAt.physicalOffset) > point.recordedAt) {
        // The topic was deleted and made again.
        points.drop(point)
        return
      } else await this.again(point, offset, record)
    }
    if (unreadable !== undefined) throw unreadable
  }

  /** Nothing of it is left. */
  private isGone({ topic, queueId, endOffset }: CheckPoint): boolean {
    const queue = this.parts.store.queue(topic, queueId)
    return queue === undefined || queue.minOffset >= endOffset
  }

  /**
   * A slave that took over, or whoever lost a table, may not know yet who they are: what is deleted has no queues, or the log says so
   * (`GoneGroups`). Throws where they have to wait.
   */
  private mustBeKnown({ topic, group }: CheckPoint): void {
    const { hasTopic, ensureGroup } = this.parts
    const origin = popOriginOf(topic, group)
    if (!hasTopic(origin)) throw new Error(`topic ${origin} is not known here, and the log has messages of it`)
    if (!ensureGroup(group))
      throw new Error(`group ${group} is not known here, and may not be made (autoCreateSubscriptionGroup)`)
  }

  private async read({ topic, queueId }: CheckPoint, offset: number): Promise<Buffer | undefined> {
    const result = new GetResult()
    const { request } = this
    request.topic = topic
    request.queueId = queueId
    request.offset = offset
    try {
      await this.parts.store.get(request, result)
      const isThis = result.status === 'found' && result.nextOffset === offset + 1
      return isThis ? Buffer.concat(result.slices) : undefined
    } finally {
      result.release()
    }
  }

  private async again(point: CheckPoint, offset: number, record: Buffer): Promise<void> {
    const { retries } = this.parts
    const draft = retryCopy(record, point, retries)
    if (draft === undefined) throw new Error(`no message at offset ${offset} of ${point.topic}`)
    retries.ensure(draft.topic, point.group)
    const copied = this.append(draft)
    const refused = copied.now
    if (refused !== undefined && !isRefusedForGood(refused)) throw new Error(refused.remark || refused.status)
    const kept = refused === undefined ? undefined : this.keep(draft, { point, offset, why: refused.status })
    const settled = this.settle(point, offset)
    const [copy] = await Promise.all([kept ?? copied.later, settled])
    if (!copy.isStored) throw new Error(copy.remark || copy.status)
    this.parts.revived?.(draft.topic, copy)
  }

  /** What the store answers, and at once where it refuses. */
  private append(draft: Draft): { now: PutResult | undefined; later: Promise<PutResult> } {
    let now: PutResult | undefined
    let isNow = true
    const later = new Promise<PutResult>(resolve => {
      const stored = (result: PutResult) => {
        const copy = Object.assign(new PutResult(), result)
        if (isNow) now = copy
        resolve(copy)
      }
      this.parts.store.append(draft, { stored })
    })
    isNow = false
    return { now, later }
  }

  private keep(draft: Draft, { point, offset, why }: { point: CheckPoint; offset: number; why: string }) {
    const { events, undeliverable } = this.parts
    const { topic, group, queueId } = point
    const keptIn = undeliverable()
    events.emit(poppedMessageKept({ topic, group, queueId, queueOffset: offset, why, keptIn }))
    const properties = propertiesOf(draft)
    properties.delete(PropertyName.firstPopTime)
    draft.topic = keptIn
    setProperties(draft, properties)
    return this.append(draft).later
  }

  private settle(point: CheckPoint, offset: number): Promise<void> {
    const { journal, points, positions } = this.parts
    const bit = point.bitOf(offset)
    point.pending |= bit
    return new Promise(resolve => {
      const stored = (result: PutResult) => {
        point.pending &= ~bit
        if (result.isStored) points.settle(point, bit)
        positions.touch()
        resolve()
      }
      journal.ack(point, [offset], { stored }, false)
    })
  }
}
