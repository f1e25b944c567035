import { type Disk, defineEvent, type Events, Failure } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { StoreConfig } from '../config.ts'
import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import { correctMinOffset } from '../consume-queue/min-offset.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import { queueAwaiting } from '../consume-queue/record-place.ts'
import type { Dispatch } from '../dispatch.ts'
import type { Layout } from '../file/layout.ts'
import type { Suspicion } from '../flush/suspicion.ts'
import type { IndexFiles } from '../index-file/index-files.ts'
import type { RecordView } from '../record/record-view.ts'
import { firstUnsafeSegment, isCheckpointDamaged, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import {
  areDispatchPointsDamaged,
  type DispatchPoint,
  type DispatchPoints,
  readDispatchPoints,
} from './dispatch-point.ts'
import { dropIndexBehindGap } from './index-gap.ts'
import { type ScanEnd, scanLog } from './log-scan.ts'
import { hasUnits, loadBefore, loadQueues } from './queue-load.ts'
import { readTailCut, setTailAside } from './tail-cut.ts'

export const recoveryBegan = defineEvent<{ reason: string; from: number; to: number }>('recovery began', 'info')
export const recoveryProgress = defineEvent<{ offset: number; from: number; to: number }>('recovery progress', 'debug')
export const recoveryEnded = defineEvent<{ end: number; records: number; reason: string }>('recovery ended', 'info')
export const logTruncated = defineEvent<{ end: number }>('commit log truncated behind a damaged record', 'warn')
export const logDamaged = defineEvent<{ offset: number; to: number }>(
  'damaged bytes in the commit log skipped',
  'error',
)
export const messagesLost = defineEvent<{ from: number; to: number; messages: number; path: string }>(
  'a file of the commit log was cut: messages that were on the disk are lost',
  'error',
)
export const logEndsEarly = defineEvent<{ end: number; known: number; messages: number }>(
  'the last files of the commit log are missing: messages that were on the disk are lost',
  'error',
)
export const logBeginsLate = defineEvent<{ from: number; to: number }>(
  'the first files of the commit log are gone since the store was written last',
  'warn',
)
export const queuesRebuilt = defineEvent<{ reason: string }>('consume queues are rebuilt from the commit log', 'warn')
/** Nothing is lost by it: more of the log is read. */
export const recoveryFileDamaged = defineEvent<{ path: string }>(
  'a file that says from where to recover is damaged, and written anew',
  'warn',
)

export interface RecoveryParts {
  readonly disk: Disk
  readonly events: Events
  readonly config: StoreConfig
  readonly layout: Layout
  readonly log: CommitLog
  readonly queues: QueueTable
  readonly index: IndexFiles | undefined
  readonly dispatch: Dispatch
  readonly suspicion: Suspicion
  readonly bootId: string
}

export interface Recovered {
  readonly crashed: boolean
  /** Below this the log is on the medium. */
  readonly syncedOffset: number
  readonly points: DispatchPoints | undefined
  readonly records: number
}

/** Where a scan begins, and from where on it fills the queues and the index. */
interface Plan {
  readonly reason: string
  readonly from: number
}

/**
 * Opens what is on disk (store.md 2.7): finds the end of the log, cuts a torn tail, and makes queues and index complete
 * again. After a clean stop only what was not dispatched is read; after a crash everything behind the last dispatch
 * point, or by Java's checkpoint where there is none; and all of the log where queues or index are lost.
 */
export class Recovery {
  private readonly parts: RecoveryParts
  private crashed = false
  private isIndexTorn = false
  private points: DispatchPoints | undefined
  private rebuilding = false
  private trusted = 0
  private mayHaveHoles = false
  /** What there was, by what speaks of it. */
  private known = { end: 0, messages: 0 }
  /** Queues whose `minOffset` needs no second look. */
  private readonly settled = new Set<ConsumeQueue>()
  private readonly lost: { readonly from: number; readonly to: number }[] = []

  constructor(parts: RecoveryParts) {
    this.parts = parts
  }

  async run(): Promise<Recovered> {
    const { disk, layout, log, queues, index } = this.parts
    this.crashed = this.isIndexTorn = disk.stat(layout.abort) !== undefined
    log.segments.load({ crashed: this.crashed })
    this.tellDamaged()
    this.points = readDispatchPoints(disk, layout.dispatchPoint)
    const cut = readTailCut(disk, layout)
    if (cut === undefined) this.lookForMissing()
    this.markOpen()
    // Of one that does not read only a half would be written next.
    if (this.points === undefined) disk.remove(layout.dispatchPoint)
    if (cut !== undefined) await setTailAside(this.parts, log.segments, cut)
    if (log.segments.first === undefined) {
      queues.deleteAll()
      index?.deleteAll()
      // Points of an empty store have numbers, too: new ones would stand behind them.
      this.forgetPoints()
      log.open(0, 0)
      return { crashed: this.crashed, syncedOffset: 0, points: undefined, records: 0 }
    }
    await this.clearTornByCut()
    const plan = await this.plan(cut?.at)
    await this.distrustIndex()
    const end = await this.scanAsPlanned(plan)
    this.tellLost()
    if (cut === undefined) this.tellMissing(end)
    await this.cut(end)
    for (const queue of queues.all()) if (!this.settled.has(queue)) correctMinOffset(queue, queues.files, log.minOffset)
    this.settled.clear()
    const syncedOffset = this.crashed ? Math.min(this.trusted, end.end) : end.end
    return { crashed: this.crashed, syncedOffset, points: this.points, records: end.records }
  }

  /**
   * A log without files whose queues have messages was taken away, or lies on a disk that is not there: to begin anew, as Java does, would
   * give offsets twice, and delete the queues of what may come back. Throws ESEGMENT.
   */
  private lookForMissing(): void {
    const { layout, log, queues, events } = this.parts
    const point = this.isSameBoot ? this.points?.written : this.points?.synced
    this.isKnown(point?.physicalOffset ?? 0, point?.totals?.units ?? 0)
    if (log.segments.first === undefined && (this.known.messages > 0 || hasUnits(queues)))
      throw new Failure(
        'ESEGMENT',
        `${log.segments.directory} has no file of the commit log, and ${layout.root} has queues of messages: is its disk not there, ` +
          'or storePathCommitLog another one? Put the files back; or, to begin with an empty log, remove ' +
          `${layout.consumeQueue} and ${layout.dispatchPoint}`,
      )
    // A crash in the moment in which retention deletes looks the same.
    const from = this.points?.written.begin
    if (from !== undefined && from < log.minOffset) events.emit(logBeginsLate({ from, to: log.minOffset }))
  }

  private tellDamaged(): void {
    const { disk, layout, events } = this.parts
    const isStill = !this.crashed
    if (areDispatchPointsDamaged(disk, layout.dispatchPoint, { isStill }))
      events.emit(recoveryFileDamaged({ path: layout.dispatchPoint }))
    if (isCheckpointDamaged(disk, layout.checkpoint)) events.emit(recoveryFileDamaged({ path: layout.checkpoint }))
  }

  private isKnown(end: number, messages: number): void {
    if (end > this.known.end) this.known = { end, messages }
  }

  /** The queues follow what is left, with offsets that others had before. */
  private tellMissing({ end }: ScanEnd): void {
    const { log, queues, events } = this.parts
    const { known } = this
    if (known.end <= log.segments.end) return
    const messages = Math.max(0, known.messages - queues.totals().units)
    events.emit(logEndsEarly({ end, known: known.end, messages }))
  }

  /** What was written is in the page cache still. */
  private get isSameBoot(): boolean {
    return this.points?.bootId === this.parts.bootId && !this.parts.suspicion.raised
  }

  /**
   * From here on a stop that is not clean must be seen, also after a power cut, and so must the end of a start amid
   * recovery: queues that are half made would pass for whole ones. A directory that is refused is left as it is.
   */
  private markOpen(): void {
    const { disk, layout } = this.parts
    disk.writeFile(layout.abort, new Uint8Array(0))
    disk.syncDirectory(layout.root)
  }

  /**
   * A file that was cut below what was synced ends within a record, whose beginning would be read as a message: it is made
   * zeros, too. `skua store verify` names the entries that lead there.
   */
  private async clearTornByCut(): Promise<void> {
    const { segments } = this.parts.log
    const synced = Math.max(this.points?.synced.physicalOffset ?? 0, this.points?.stoppedAt ?? 0)
    for (const { from, to } of segments.padded) {
      if (from >= synced) continue
      const base = to - segments.size
      const { end } = await scanLog(segments, base, {
        ...{ checkCrc: true, trustedTo: 0, mayHaveHoles: true, skipped: () => {} },
        visit: view => view.physicalOffset + view.size <= from,
      })
      await this.clearFrom(end)
      this.lost.push({ from: end, to: Math.min(to, synced) })
    }
  }

  private tellLost(): void {
    for (const { from, to } of this.lost) {
      let messages = 0
      for (const queue of this.parts.queues.all()) messages += countUnits(queue, from, to)
      const path = this.parts.log.segments.find(from)?.path ?? ''
      this.parts.events.emit(messagesLost({ from, to, messages, path }))
    }
  }

  /** What is left of the index may be less than the checkpoint says: while it is filled again, a second crash would believe that. */
  private async distrustIndex(): Promise<void> {
    const { disk, layout, index } = this.parts
    const checkpoint = readCheckpoint(disk, layout.checkpoint)
    const indexMsgAtMs = index?.last.atMs ?? 0
    if (index === undefined || checkpoint.indexMsgAtMs <= indexMsgAtMs) return
    await writeCheckpoint(disk.open(layout.checkpoint, 'write'), { ...checkpoint, indexMsgAtMs })
  }

  private async scanAsPlanned(plan: Plan): Promise<ScanEnd> {
    this.parts.index?.resume({ crashed: this.isIndexTorn })
    const { log } = this.parts
    const first = await this.scan(plan)
    const isBeyond = first !== undefined && first.end < this.maxPhysicalOffset()
    if (first !== undefined && !isBeyond) return first
    this.rebuilding = true
    const reason = isBeyond ? 'queues lead behind the end of the log' : 'a queue lacks messages'
    this.parts.events.emit(queuesRebuilt({ reason }))
    this.forgetQueues()
    return (await this.scan({ reason: 'rebuild', from: log.minOffset }))!
  }

  /** Undefined when the scan found that a queue lacks messages before it. */
  private async scan({ reason, from }: Plan): Promise<ScanEnd | undefined> {
    const { log, events, config } = this.parts
    const to = log.segments.end
    let isShort = false
    events.emit(recoveryBegan({ reason, from, to }))
    const end = await scanLog(log.segments, from, {
      checkCrc: config.checkCRCOnRecover,
      trustedTo: this.trusted,
      mayHaveHoles: this.mayHaveHoles,
      skipped: (offset, to) => events.emit(logDamaged({ offset, to })),
      progress: offset => events.emit(recoveryProgress({ offset, from, to })),
      visit: view => {
        isShort = !this.take(view)
        return !isShort
      },
    })
    if (isShort) return undefined
    events.emit(recoveryEnded({ end: end.end, records: end.records, reason }))
    return end
  }

  /** Dispatches what is new of a record; false when its queue lacks messages before it. */
  private take(view: RecordView): boolean {
    const { queues, index, dispatch } = this.parts
    const topic = this.topicOf(view)
    const queue = queueAwaiting(queues, view, { topic, fillsGaps: this.rebuilding, begin: this.parts.log.minOffset })
    if (queue === 'gap') return false
    if (queue !== undefined) dispatch.toQueue(view, queue)
    if (index !== undefined && this.isNewToIndex(view, index)) dispatch.toIndex(view, topic)
    return true
  }

  private isNewToIndex(view: RecordView, index: IndexFiles): boolean {
    if (index.isEmpty) return true
    // After a crash the last message may have lost some of its keys: it is put again, as in Java.
    return this.isIndexTorn ? view.physicalOffset >= index.last.offset : view.physicalOffset > index.last.offset
  }

  private async plan(cutAt: number | undefined): Promise<Plan> {
    if (cutAt !== undefined && this.wasClosed) return this.planAfterCut(cutAt)
    if (cutAt !== undefined) {
      // Cut before, and perhaps half repaired then: nothing that was written of queues and index is believed.
      this.trusted = Math.min(cutAt, this.trustedOffset())
      this.mayHaveHoles = true
      this.parts.index?.deleteAll()
      return this.planRebuild('the log was cut')
    }
    return this.crashed ? this.planAfterCrash() : this.planAfterStop()
  }

  /** All was written when the store was closed, and the machine has not stopped since if it was not synced. */
  private get wasClosed(): boolean {
    const { bootId, suspicion } = this.parts
    if (!this.crashed) return true
    return this.points?.stoppedAt !== undefined && this.points.bootId === bootId && !suspicion.raised
  }

  /** Queues and index were whole when the store was closed, and the log has been cut since. */
  private async planAfterCut(at: number): Promise<Plan> {
    const { queues, index, log } = this.parts
    const syncedOffset = Math.min(at, this.points?.synced.physicalOffset ?? 0)
    const isWhole = loadQueues(queues, {
      ...{ physicalOffset: at, syncedOffset, mayHaveHoles: false, begin: log.minOffset },
      settled: this.settled,
    })
    await this.cutIndex(at)
    // From here on only what is done again after a crash is on disk; the index was closed whole.
    this.crashed = true
    this.isIndexTorn = false
    this.forgetPoints()
    this.trusted = at
    if (!isWhole) return this.planRebuild('queues are missing')
    const indexFrom = index === undefined ? at : index.isEmpty ? log.minOffset : index.last.offset
    return { reason: 'the log was cut', from: Math.max(log.minOffset, Math.min(at, indexFrom)) }
  }

  /** A file of the index that knows of messages behind the cut is filled again, and one before it with a part of the same message. */
  private async cutIndex(at: number): Promise<void> {
    const { index } = this.parts
    index?.load()
    const ranges = index?.ranges ?? []
    let first = ranges.findIndex(({ endOffset }) => endOffset >= at)
    while (first > 0 && ranges[first]!.beginOffset === ranges[first - 1]!.endOffset) first--
    if (first >= 0) index?.discardFrom(first)
    await dropIndexBehindGap(this.parts)
  }

  private async planAfterStop(): Promise<Plan> {
    const { queues, index, log } = this.parts
    const max = Number.MAX_SAFE_INTEGER
    const isWhole = loadQueues(queues, {
      physicalOffset: max,
      syncedOffset: max,
      mayHaveHoles: false,
      begin: log.minOffset,
      settled: this.settled,
    })
    index?.load()
    this.trusted = this.trustedOffset()
    const maxPhysical = this.maxPhysicalOffset()
    this.isKnown(maxPhysical, queues.totals().units)
    const point = this.inLog(this.points?.written)
    const found = this.compare(point)
    const isOurs = point !== undefined && found === 'all'
    if (!isOurs || index?.hasAll(point.index) === false) await dropIndexBehindGap(this.parts)
    // Where files are lost, the last message of those that are left may have had more keys in the next one.
    if (point !== undefined && index?.hasAll(point.index) === false) this.isIndexTorn = true
    if (!isWhole || found === 'less' || (maxPhysical < log.minOffset && !isOurs))
      return this.planRebuild('queues are missing')
    const isIndexOurs = index === undefined || (isOurs && index.endsAs(point.index))
    if (isOurs && isIndexOurs) return { reason: 'clean stop', from: point.physicalOffset }
    // No stop leaves it so: what says that one was killed is gone.
    if (isOurs && index?.point.name === point.index.name) this.isIndexTorn = true
    if (index?.isEmpty === true) return { reason: 'the index is missing', from: log.minOffset }
    const { segments } = log
    if (maxPhysical > segments.end) return this.planRebuild('queues lead behind the end of the log')
    return { reason: 'clean stop of another broker', from: Math.min(maxPhysical, index?.last.offset ?? maxPhysical) }
  }

  private async planAfterCrash(): Promise<Plan> {
    const { layout, disk, index, log, queues } = this.parts
    const sameBoot = this.isSameBoot
    const point = this.inLog(sameBoot ? this.points?.written : this.points?.synced)
    const checkpoint = readCheckpoint(disk, layout.checkpoint)
    const from = point?.physicalOffset ?? firstUnsafeSegment(log.segments, checkpoint)
    this.trusted = this.trustedOffset()
    this.mayHaveHoles = !(sameBoot && point !== undefined)
    const isWhole = loadQueues(queues, {
      physicalOffset: from,
      syncedOffset: this.points?.synced.physicalOffset ?? 0,
      mayHaveHoles: this.mayHaveHoles,
      begin: log.minOffset,
      settled: this.settled,
    })
    const isIndexOurs = index?.loadAfterCrash(point?.index, checkpoint.indexMsgAtMs) === true
    if (!isIndexOurs || (point !== undefined && index?.hasAll(point.index) === false))
      await dropIndexBehindGap(this.parts)
    // A point says how much there is; without one, no queue at all is too little.
    const isComplete = point?.totals === undefined ? queues.totals().queues > 0 : this.compare(point) === 'all'
    if (!isWhole || !isComplete) return this.planRebuild('queues are missing')
    const isIndexWhole = isIndexOurs && index?.point.name === point?.index.name
    const indexFrom = this.indexStart(isIndexWhole ? point : undefined)
    const reason = this.points?.stoppedAt !== undefined ? 'stop before all was synced' : 'crash'
    return { reason, from: Math.max(log.minOffset, Math.min(from, indexFrom)) }
  }

  /**
   * What was found of the queues beside what there was: 'less' where something is lost, of an end or of a beginning, and
   * 'more' where another broker went on with them. Retention moves the beginnings, and the points with them.
   */
  private compare(point: DispatchPoint | undefined): 'all' | 'less' | 'more' | 'unknown' {
    const then = point?.totals
    if (then === undefined) return 'unknown'
    const { queues, units, firsts } = this.parts.queues.totals()
    if (queues < then.queues || units < then.units) return 'less'
    if (queues > then.queues || units > then.units) return 'more'
    return firsts === then.firsts ? 'all' : 'less'
  }

  /** `point`: where the index was found to be as it says. */
  private indexStart(point: DispatchPoint | undefined): number {
    const { index, log } = this.parts
    if (index === undefined) return Number.MAX_SAFE_INTEGER
    if (point !== undefined) return point.physicalOffset
    return index.isEmpty ? log.minOffset : index.last.offset
  }

  private planRebuild(reason: string): Plan {
    this.rebuilding = true
    this.parts.events.emit(queuesRebuilt({ reason }))
    this.forgetQueues()
    return { reason: 'rebuild', from: this.parts.log.minOffset }
  }

  /** Nothing on disk may say that queues are whole while they are rebuilt: a second crash would believe it. */
  private forgetQueues(): void {
    const { queues, log } = this.parts
    this.forgetPoints()
    queues.forgetAll()
    this.settled.clear()
    loadBefore(queues, log.minOffset)
  }

  private forgetPoints(): void {
    const { disk, layout } = this.parts
    this.points = undefined
    disk.remove(layout.dispatchPoint)
    disk.remove(layout.checkpoint)
    disk.syncDirectory(layout.root)
  }

  /**
   * The point, where it is of this log: not behind its end. Retention may have deleted what it speaks of; then all that is
   * left of the log lies behind it.
   */
  private inLog(point: DispatchPoint | undefined): DispatchPoint | undefined {
    const { segments, minOffset } = this.parts.log
    if (point === undefined || point.physicalOffset > segments.end) return undefined
    return point.physicalOffset >= minOffset ? point : { ...point, physicalOffset: minOffset }
  }

  private async cut(end: ScanEnd): Promise<void> {
    const { log, events, disk, layout } = this.parts
    if (end.reason === 'damaged') events.emit(logTruncated({ end: end.end }))
    log.segments.removeFrom(end.end === log.minOffset ? end.end + 1 : end.end)
    if (this.crashed || end.reason === 'damaged') await this.clearFrom(end.end)
    const before = readCheckpoint(disk, layout.checkpoint).physicMsgAtMs
    log.open(end.end, Math.max(end.storedAtMs, before))
  }

  /** A failed fdatasync drops what an earlier process left unsynced in the file, and the next one would not say so. */
  private async clearFrom(offset: number): Promise<void> {
    try {
      await this.parts.log.segments.clearFrom(offset)
    } catch (error) {
      this.parts.suspicion.raise('the commit log', error)
      throw error
    }
  }

  /** What the medium certainly holds: damage below it is not a torn tail. */
  private trustedOffset(): number {
    const { log } = this.parts
    const synced = this.inLog(this.points?.synced)
    const { stoppedAt = 0 } = this.points ?? {}
    if (synced !== undefined) return Math.max(synced.physicalOffset, stoppedAt <= log.segments.end ? stoppedAt : 0)
    return this.crashed ? log.minOffset : this.maxPhysicalOffset()
  }

  private maxPhysicalOffset(): number {
    let max = -1
    for (const queue of this.parts.queues.all()) max = Math.max(max, queue.maxPhysicalOffset)
    return max
  }

  private topicOf(view: RecordView): string {
    return this.parts.queues.topicNamed(view.bytes, view.topicAt, view.topicLength)
  }
}

/** Entries of a queue that lead into a stretch of the log. They lie at its end, or near it. */
function countUnits(queue: ConsumeQueue, from: number, to: number): number {
  const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  let count = 0
  for (let at = queue.maxOffset - 1; at >= queue.minOffset; at--) {
    if (queue.entries(at, entry) === 0 || entry[0]!.physicalOffset < from) break
    if (entry[0]!.size > 0 && entry[0]!.physicalOffset < to) count++
  }
  return count
}
