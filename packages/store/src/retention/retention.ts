import { BelievedTime, type Clock, type Disk, defineEvent, delay, type Events, type Timer } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { StoreConfig } from '../config.ts'
import { correctMinOffset } from '../consume-queue/min-offset.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import type { Layout } from '../file/layout.ts'
import type { DispatchFlush } from '../flush/dispatch-flush.ts'
import type { LogFlush } from '../flush/log-flush.ts'
import type { Health } from '../health.ts'
import type { IndexFiles } from '../index-file/index-files.ts'
import type { LogHolder } from '../message-store.ts'
import { diskVerdict, type ExpiryRule, expiredSegments, isDeletionHour, usedPercent } from './rules.ts'

export const segmentsDeleted = defineEvent<{ count: number; minOffset: number; reason: string }>(
  'commit log segments deleted',
  'info',
)
/** They are as old as fileReservedTime; told once while that lasts. */
export const segmentsHeld = defineEvent<{ count: number; from: number; what: string }>(
  'commit log segments stay longer than fileReservedTime',
  'warn',
)
export const retentionFailed = defineEvent<{ error: unknown }>('retention failed', 'error')

export interface RetentionParts {
  readonly clock: Clock
  readonly disk: Disk
  readonly events: Events
  readonly config: StoreConfig
  readonly layout: Layout
  readonly log: CommitLog
  readonly queues: QueueTable
  readonly index: IndexFiles | undefined
  readonly health: Health
  readonly flush: Pick<LogFlush, 'synced'>
  /** Is told before the log loses what queues and index are made of, and after they have lost it, too. */
  readonly dispatchFlush: Pick<DispatchFlush, 'settle' | 'deleted'>
}

const firstRoundMs = 60_000
const hourMs = 3_600_000
/** Between two deletions, so that freeing the blocks of large files does not come at once. */
const pauseMs = 100
const queuesPerStep = 256

/** Within an hour of deletion (deleteWhen) there is to be a round, also where time leaps over most of it. */
const roundSlackMs = 45 * 60_000

/**
 * Deletes what is too old, or what the disk has no room for, and watches how full the disk is (store.md 6). A file that
 * is still read stays readable until its readers are done.
 */
export class Retention {
  private readonly parts: RetentionParts
  private readonly aborter = new AbortController()
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  /** Somebody asked for a deletion: expired segments go whatever the hour. */
  private asked = false
  /** The log has lost what queues and index still name. */
  private isBehind = false
  private readonly holders: LogHolder[] = []
  private heldFor: string | undefined
  private readonly time: BelievedTime

  constructor(parts: RetentionParts) {
    this.parts = parts
    this.time = new BelievedTime(parts.clock)
  }

  start(): void {
    this.time.now()
    this.checkDisk()
    this.arm(firstRoundMs)
  }

  async stop(): Promise<void> {
    this.aborter.abort(new Error('the store stops'))
    this.timer?.cancel()
    await this.running
  }

  /** Deletes expired segments in the next round, whatever the hour. */
  ask(): void {
    this.asked = true
  }

  hold(holder: LogHolder): void {
    this.holders.push(holder)
  }

  private arm(ms: number): void {
    if (this.aborter.signal.aborted) return
    this.timer = this.parts.clock.after(
      ms,
      () => {
        this.running = this.round()
          .catch(error => this.failed(error))
          .then(() => this.arm(this.parts.config.cleanResourceInterval))
      },
      roundSlackMs,
    )
  }

  private failed(error: unknown): void {
    this.parts.health.distrust(error)
    if (!this.aborter.signal.aborted) this.parts.events.emit(retentionFailed({ error }))
  }

  /** Looks how full the disk is, and refuses messages where it is too full. */
  private checkDisk(): ReturnType<typeof diskVerdict> {
    const { disk, layout, config, health } = this.parts
    const verdict = diskVerdict(usedPercent(disk.space(layout.commitLog)), config)
    if (verdict.full === undefined) health.clear('disk full')
    else health.set('disk full', verdict.full)
    return verdict
  }

  private async round(): Promise<void> {
    const { clock, config, health } = this.parts
    const verdict = this.checkDisk()
    if (this.isBehind) await this.follow().catch(error => this.failed(error))
    const believedMs = this.time.now()
    // Who asks for it by hand knows what time it is.
    const nowMs = this.asked ? clock.now() : believedMs
    if (!this.asked && !verdict.clean && !verdict.force && !isDeletionHour(config.deleteWhen, nowMs)) return
    const rule = { nowMs, reservedMs: config.fileReservedTime * hourMs, force: verdict.force }
    this.asked = false
    const { synced } = this.parts.flush
    if (this.expired(rule, synced) === 0) return
    const settled = rule.force ? synced : Math.min(synced, this.heldFrom(rule, synced))
    if (this.expired(rule, settled) === 0) return
    // Where a queue ends is known from its file alone, once its messages are gone.
    await this.parts.dispatchFlush.settle()
    const count = this.expired(rule, settled)
    if (count === 0 || this.aborter.signal.aborted || health.has('fault')) return
    const reason = verdict.force ? 'the disk is short' : 'fileReservedTime'
    try {
      await this.deleteSegments(count, reason)
    } finally {
      // Also where it did not come to its end: what is gone from the log is gone.
      await this.follow()
    }
    this.checkDisk()
  }

  /** Where what somebody waits for begins; says so where it would go by its age. */
  private heldFrom(rule: ExpiryRule, end: number): number {
    let from = Number.POSITIVE_INFINITY
    let what: string | undefined
    for (const holder of this.holders) {
      const first = holder.from()
      if (first >= from) continue
      from = first
      what = holder.what
    }
    const count = this.expired(rule, end) - this.expired(rule, Math.min(end, from))
    const isHeld = count > 0 ? what : undefined
    if (isHeld !== undefined && isHeld !== this.heldFor)
      this.parts.events.emit(segmentsHeld({ count, from, what: isHeld }))
    this.heldFor = isHeld
    return from
  }

  /** How many segments may go that end before `end`. */
  private expired(rule: ExpiryRule, end: number): number {
    const { segments } = this.parts.log
    const sealed = segments.all.slice(0, this.sealed).filter(({ base }) => base + segments.size <= end)
    return expiredSegments(
      sealed.map(segment => ({ lastWriteMs: segments.lastWriteMs(segment) })),
      rule,
    )
  }

  /** Full, and on the medium: whoever waits for an fdatasync waits for one of these bytes, too. */
  private get sealed(): number {
    return this.parts.log.sealedBelow(this.parts.flush.synced)
  }

  private async deleteSegments(wanted: number, reason: string): Promise<void> {
    const { log, clock, events } = this.parts
    const { segments } = log
    const before = log.minOffset
    try {
      for (let left = wanted; left > 0; left--) {
        await segments.syncRemoval()
        // The log may be another one than before the wait.
        if (this.sealed === 0) break
        await segments.removeFirst()
        if (left > 1) await delay(clock, pauseMs, this.aborter.signal)
      }
    } finally {
      const count = (log.minOffset - before) / segments.size
      if (count > 0) events.emit(segmentsDeleted({ count, minOffset: log.minOffset, reason }))
    }
  }

  /** Queues and index go behind the log, a bounded number of queues at a time. One that cannot keeps none of the others; the next round tries it again. */
  private async follow(): Promise<void> {
    const { queues, index, log, clock } = this.parts
    const errors: unknown[] = []
    this.isBehind = true
    let looked = 0
    for (const queue of [...queues.all()]) {
      try {
        if (!queue.isDeleted) correctMinOffset(queue, queues.files, log.minOffset)
      } catch (error) {
        errors.push(error)
      }
      if (++looked % queuesPerStep === 0) await delay(clock, 0, this.aborter.signal)
    }
    index?.deleteBefore(log.minOffset)
    this.parts.dispatchFlush.deleted()
    if (errors.length > 0) throw errors[0]
    this.isBehind = false
  }
}
