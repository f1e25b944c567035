import {
  anySlack,
  type Clock,
  type Disk,
  type DiskFile,
  defineEvent,
  type Events,
  Failure,
  type Timer,
} from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { StoreConfig } from '../config.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import { QueueWriter } from '../consume-queue/queue-writer.ts'
import type { DirtyFiles } from '../file/dirty-files.ts'
import type { Layout } from '../file/layout.ts'
import type { OpenFiles } from '../file/open-files.ts'
import type { Health } from '../health.ts'
import type { IndexFile } from '../index-file/index-file.ts'
import type { IndexFiles, IndexPoint } from '../index-file/index-files.ts'
import { readCheckpoint, writeCheckpoint } from '../recovery/checkpoint.ts'
import { type DispatchPoint, type DispatchPoints, writeDispatchPoints } from '../recovery/dispatch-point.ts'
import type { LogFlush } from './log-flush.ts'
import type { Suspicion } from './suspicion.ts'

export const queuesLeftUnsynced = defineEvent<{ files: number; ms: number }>(
  'the store stops before all consume queues are on the medium: the next start looks at them as after a kill',
  'info',
)

export interface DispatchFlushParts {
  readonly clock: Clock
  readonly events: Events
  readonly disk: Disk
  readonly files: OpenFiles
  readonly config: StoreConfig
  readonly layout: Layout
  readonly log: CommitLog
  readonly queues: QueueTable
  readonly dirtyFiles: DirtyFiles
  readonly index: IndexFiles | undefined
  readonly logFlush: LogFlush
  readonly health: Health
  readonly suspicion: Suspicion
  readonly bootId: string
}

interface Round {
  readonly point: DispatchPoint
  readonly storedAtMs: number
}

const noIndex: IndexPoint = { name: '', count: 1, beginAtMs: 0, endOffset: 0, previous: '', files: 0 }

/** What is deleted moves the sums only. */
function isSame(a: DispatchPoint, b: DispatchPoint): boolean {
  const { totals: one, index } = a
  const { totals: other } = b
  if (a.physicalOffset !== b.physicalOffset || a.begin !== b.begin || index.files !== b.index.files) return false
  return one?.queues === other?.queues && one?.units === other?.units && one?.firsts === other?.firsts
}

/**
 * Brings queues and index to their files, some time after the log, and then moves the dispatch point and Java's
 * checkpoint: always in this order, so that neither is ever ahead of the bytes it speaks of.
 */
export class DispatchFlush {
  private readonly parts: DispatchFlushParts
  private readonly writer: QueueWriter
  private timer: Timer | undefined
  private round: Round | undefined
  private points: DispatchPoints
  private thoroughAtMs = 0
  private stopped = false
  /** When a stop syncs no further queues, by the monotonic clock. */
  private stopByMs = Number.POSITIVE_INFINITY
  private busy: Promise<void> | undefined
  private isSyncing = false
  /** The names of point and checkpoint are on the medium. */
  private isNamed = false
  /** Who wants to hear of the end of a round that begins from here on. */
  private readonly waiters: (() => void)[] = []
  /** Moves when queues or files of the index go: what was counted before is too much. */
  private deletions = 0

  constructor(parts: DispatchFlushParts) {
    this.parts = parts
    this.writer = new QueueWriter(parts.queues, parts.clock)
    const start: DispatchPoint = { physicalOffset: 0, index: noIndex }
    this.points = { sequence: 0, bootId: parts.bootId, written: start, synced: start }
  }

  /** `points`: what recovery has read; everything dispatched since is dirty. */
  start(points: DispatchPoints | undefined): void {
    if (points !== undefined) {
      const { sequence, synced } = points
      this.points = { sequence, bootId: this.parts.bootId, written: synced, synced }
    }
    this.thoroughAtMs = this.parts.clock.monotonic()
    this.arm(this.parts.config.flushIntervalConsumeQueue)
  }

  /** Ends without a write: the start has failed. */
  async abandon(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.busy
    this.tellSettled()
  }

  /**
   * Writes everything, and syncs it within `queueSyncAtStopMs`; false when the disk refused, or the time was over, so that
   * the next start must recover.
   */
  async stop(): Promise<boolean> {
    this.stopByMs = this.parts.clock.monotonic() + this.parts.config.queueSyncAtStopMs
    await this.abandon()
    try {
      const round = this.now()
      this.writer.finish()
      if (await this.thorough(round)) return true
      await this.leave(round)
    } catch (error) {
      this.failed(error)
    }
    return false
  }

  /**
   * All is written, and the log and the index are on the medium: a start in the life of this machine has all, and one after
   * a power cut goes on from the synced point, as after a kill. Java's broker recovers from the checkpoint, and keeps of
   * the index what that speaks of.
   */
  private async leave(round: Round): Promise<void> {
    const { layout, logFlush, index, disk, dirtyFiles, events, config } = this.parts
    if (logFlush.synced < round.point.physicalOffset) return
    this.writePoints({ ...this.points, written: round.point, stoppedAt: round.point.physicalOffset }, true)
    await writeCheckpoint(this.open(layout.checkpoint), {
      ...readCheckpoint(disk, layout.checkpoint),
      physicMsgAtMs: logFlush.syncedStoredAtMs,
      indexMsgAtMs: index?.last.atMs ?? 0,
    })
    events.emit(queuesLeftUnsynced({ files: dirtyFiles.count, ms: config.queueSyncAtStopMs }))
  }

  /**
   * Resolves when all that queues and index have now is on the medium, or the disk has refused some of it: before the log
   * loses what they would be made of again.
   */
  settle(): Promise<void> {
    if (this.stopped) return Promise.resolve()
    const settled = new Promise<void>(resolve => this.waiters.push(resolve))
    // A round that began before is begun again; one that is being synced is followed by another.
    this.round = undefined
    this.thoroughAtMs = Number.NEGATIVE_INFINITY
    if (!this.isSyncing) this.arm(0)
    return settled
  }

  private tellSettled(): void {
    for (const tell of this.waiters.splice(0)) tell()
  }

  /** Writes all units and moves the dispatch point at once: after queues went away, which recovery should not bring back. */
  private writeNow(): void {
    try {
      const round = this.now()
      this.writer.finish()
      this.wrote(round)
    } catch (error) {
      this.failed(error)
    }
  }

  private now(): Round {
    const { log, index, queues, health } = this.parts
    // The points stay where all was well: the next start makes the rest again from the log.
    if (health.has('fault')) throw new Failure('EFAULT', 'the store does not trust what it has in memory')
    const sums = { totals: queues.totals(), begin: log.minOffset }
    const point = { physicalOffset: log.recordsEnd, index: index?.point ?? noIndex, ...sums }
    return { point, storedAtMs: log.writtenStoredAtMs }
  }

  /** Something of queues or index was deleted: the points on the medium should say so soon, or a crash rebuilds it all. */
  deleted(): void {
    this.deletions++
    this.writeNow()
    // A round that began before knows of what is gone.
    this.round = undefined
    this.thoroughAtMs = Number.NEGATIVE_INFINITY
  }

  private arm(ms: number): void {
    if (this.stopped) return
    this.timer?.cancel()
    this.timer = this.parts.clock.after(ms, () => this.tick(), ms === 0 ? 0 : anySlack)
  }

  /** A bounded number of queues per tick; the round's end may be several ticks away. */
  private tick(): void {
    const { config, clock } = this.parts
    try {
      if (this.round === undefined) {
        this.writer.begin()
        this.round = this.now()
      }
      if (!this.writer.step()) {
        this.arm(0)
        return
      }
      const round = this.round
      this.round = undefined
      this.wrote(round)
      if (clock.monotonic() - this.thoroughAtMs >= config.flushConsumeQueueThoroughInterval) {
        this.thoroughAtMs = clock.monotonic()
        this.sync(() => this.thorough(round))
        return
      }
    } catch (error) {
      this.failed(error)
      // A disk that is full for one of them may still take what others have.
      if (this.waiters.length > 0) {
        this.sync(() => this.syncFiles([]))
        return
      }
    }
    this.arm(config.flushIntervalConsumeQueue)
  }

  /** Ends a round; whoever waits from here on waits for the next one. */
  private sync(work: () => Promise<unknown>): void {
    const waiters = this.waiters.splice(0)
    this.isSyncing = true
    this.busy = work()
      .catch(error => this.failed(error))
      .then(() => {
        this.isSyncing = false
        for (const tell of waiters) tell()
        this.arm(this.waiters.length > 0 ? 0 : this.parts.config.flushIntervalConsumeQueue)
      })
  }

  private wrote(round: Round): void {
    this.parts.index?.write()
    if (!isSame(round.point, this.points.written)) this.writePoints({ ...this.points, written: round.point })
    this.parts.health.clear('queue write')
  }

  /** False where not all of it came to the medium, so that the points stay. */
  private async thorough(round: Round): Promise<boolean> {
    const { parts, deletions } = this
    await parts.logFlush.syncAll()
    // The points must never be ahead of the log on the medium. The queues may: retention waits for them, and goes on.
    if (parts.logFlush.synced < round.point.physicalOffset) {
      await this.syncFiles([])
      return false
    }
    const physicMsgAtMs = parts.logFlush.syncedStoredAtMs
    const indexFiles = parts.index?.snapshot() ?? []
    const indexMsgAtMs = parts.index?.last.atMs ?? 0
    if (!(await this.syncFiles(indexFiles))) return false
    // A topic may have been deleted meanwhile: what has moved the point on does not come back.
    const { written } = this.points
    const isAhead = deletions !== this.deletions || written.physicalOffset > round.point.physicalOffset
    this.writePoints({ ...this.points, written: isAhead ? written : round.point, synced: round.point }, true)
    if (!parts.logFlush.hasFailed) parts.suspicion.clear()
    await writeCheckpoint(this.open(parts.layout.checkpoint), {
      physicMsgAtMs,
      logicsMsgAtMs: round.storedAtMs,
      indexMsgAtMs,
    })
    if (!this.isNamed) parts.files.syncDirectory(parts.layout.root)
    this.isNamed = true
    parts.health.clear('queue write')
    return true
  }

  /** False where the time of a stop was over before all were synced. Throws DiskError. */
  private async syncFiles(indexFiles: readonly IndexFile[]): Promise<boolean> {
    const { clock, dirtyFiles, index, suspicion } = this.parts
    try {
      await index?.sync(indexFiles)
      return await dirtyFiles.sync(() => clock.monotonic() >= this.stopByMs)
    } catch (error) {
      suspicion.raise('consume queues and index', error)
      throw error
    }
  }

  private writePoints(points: DispatchPoints, sync = false): void {
    this.points = { ...points, sequence: this.points.sequence + 1 }
    const file = this.open(this.parts.layout.dispatchPoint)
    try {
      writeDispatchPoints(file, this.points)
      if (sync) file.syncDataSync()
    } finally {
      file.closeSync()
    }
  }

  private open(path: string): DiskFile {
    return this.parts.files.opened(() => this.parts.disk.open(path, 'create'))
  }

  private failed(error: unknown): void {
    this.parts.health.distrust(error)
    const remark = `consume queues or index could not be written: ${String(error)}; they are tried again every flushIntervalConsumeQueue`
    this.parts.health.set('queue write', remark)
  }
}
