import { anySlack, assert, type Clock, Histogram, type Timer } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { StoreConfig } from '../config.ts'
import type { Health } from '../health.ts'

export interface LogFlushParts {
  readonly clock: Clock
  readonly log: CommitLog
  readonly config: StoreConfig
  readonly health: Health
  /** All bytes below `offset` are on the medium. */
  readonly onSynced: (offset: number) => void
  readonly onFailed: (error: unknown) => void
}

const pageBytes = 4096

/** Classes of `times`, ms. */
const syncBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

/**
 * Brings the written log to the medium, one fdatasync at a time in the pool. Whoever needs one joins the next that
 * begins after its write, so a group of appends shares it. After a failed one nothing is called synced any more until
 * the bytes were written again: the kernel may have dropped them.
 */
export class LogFlush {
  /** All bytes below are on the medium. */
  synced = 0
  /** Store time of the last record below `synced`. */
  syncedStoredAtMs = 0
  /** How long fdatasyncs took that succeeded, ms. */
  readonly times = new Histogram(syncBounds)
  private readonly parts: LogFlushParts
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  /** The round that runs, or the last one. */
  private current: Promise<unknown> = Promise.resolve()
  /** When the fdatasync began that runs, or the last one. */
  private begunAtMs = 0
  private again = false
  /** Counts what makes a round that is under way worthless: failed syncs, and cuts of the log. */
  private failures = 0
  private cuts = 0
  /** When whatever is dirty is synced, however little it is. */
  private thoroughAtMs = 0
  private stopped = false

  constructor(parts: LogFlushParts) {
    this.parts = parts
  }

  /** `syncedOffset`: below it the log is known to be on the medium. `begin` follows. */
  start(syncedOffset: number): void {
    assert(syncedOffset <= this.parts.log.written, 'nothing is synced that is not written')
    this.synced = syncedOffset
    this.syncedStoredAtMs = this.parts.log.writtenStoredAtMs
    this.thoroughAtMs = this.parts.clock.monotonic() + this.parts.config.flushCommitLogThoroughInterval
  }

  /** From here on what is written is synced by time: what a failed fdatasync has left behind was written again. */
  begin(): void {
    this.armTimer()
  }

  /** Ends without a sync: the start has failed. */
  async abandon(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    while (this.running !== undefined) await this.running
  }

  /** Syncs what is left. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.syncAll()
    while (this.running !== undefined) await this.running
  }

  /** The log was cut. */
  cut(end: number): void {
    this.cuts++
    this.synced = Math.min(this.synced, end)
  }

  /** Written and not yet synced. */
  get dirtyBytes(): number {
    return this.parts.log.written - this.synced
  }

  /** Whether the last fdatasync failed and nothing was synced since. */
  get hasFailed(): boolean {
    return this.parts.health.has('log sync')
  }

  busyRemark(): string {
    const { config, clock } = this.parts
    const since =
      this.running === undefined
        ? ''
        : `, an fdatasync of it has taken ${Math.round(clock.monotonic() - this.begunAtMs)} ms so far`
    return `${this.dirtyBytes} bytes of the commit log wait for the disk${since}; maxDirtyBytes is ${config.maxDirtyBytes}`
  }

  /** The log has grown. `needsSync`: somebody waits for the fdatasync. */
  written(needsSync: boolean): void {
    const { config } = this.parts
    if (needsSync || this.dirtyBytes > config.flushDirtyBytes || (!config.flushCommitLogTimed && this.hasPages))
      this.request()
  }

  /** As many dirty pages as flushCommitLogLeastPages wants (store.md 6), or as may be dirty at all. */
  private get hasPages(): boolean {
    const { flushCommitLogLeastPages, maxDirtyBytes } = this.parts.config
    return this.dirtyBytes >= Math.min(flushCommitLogLeastPages * pageBytes, maxDirtyBytes)
  }

  /** Resolves when all that is written now is on the medium, or could not be brought there; rounds for others may go on. */
  async syncAll(): Promise<void> {
    const end = this.parts.log.written
    this.request()
    while (this.running !== undefined && this.synced < end) await this.current.catch(() => {})
  }

  /** Moves with each failed sync of the log. */
  get failureCount(): number {
    return this.failures
  }

  /**
   * What is written and not synced was written again after the failures up to `failures`: tries to sync it. False where
   * another one failed meanwhile. Throws DiskError.
   */
  async retry(failures: number): Promise<boolean> {
    await this.running
    if (failures !== this.failures) return false
    return this.round()
  }

  /**
   * An fdatasync of a file of the log has failed, whoever asked for it: the kernel may have dropped every dirty byte of
   * that file, and does not say so again. A round that is under way counts for nothing then.
   */
  failed(error: unknown): void {
    this.failures++
    const remark = `fdatasync of the commit log failed: ${String(error)}; the store is read-only until one succeeds`
    this.parts.health.distrust(error)
    this.parts.health.set('log sync', remark)
    this.parts.onFailed(error)
  }

  private request(): void {
    if (this.running !== undefined) {
      this.again = true
      return
    }
    if (this.parts.log.written === this.synced || this.hasFailed) return
    this.running = this.run()
  }

  private async run(): Promise<void> {
    try {
      do {
        this.again = false
        this.current = this.round()
        await this.current
        // After a failure the next one would succeed without the bytes that the kernel has dropped: they are written first.
      } while (this.again && !this.hasFailed && this.parts.log.written > this.synced)
    } catch (error) {
      this.failed(error)
    } finally {
      this.running = undefined
    }
  }

  /** False where its work counts for nothing, since a sync failed or the log was cut meanwhile. */
  private async round(): Promise<boolean> {
    const { log } = this.parts
    const target = log.written
    const storedAtMs = log.writtenStoredAtMs
    const { failures, cuts, synced } = this
    // A list of its own: retention takes segments out of the other one. It leaves those that are not synced.
    const segments = log.segments.all.filter(({ base }) => base + log.segments.size > synced && base < target)
    for (const segment of segments) {
      const handle = log.segments.acquire(segment)
      this.begunAtMs = this.parts.clock.monotonic()
      try {
        await handle.file.syncData()
        this.times.add(this.parts.clock.monotonic() - this.begunAtMs)
      } finally {
        log.segments.release(handle)
      }
    }
    if (failures !== this.failures) return false
    if (cuts !== this.cuts) {
      this.again = true
      return false
    }
    assert(target <= log.written, 'nothing is synced that is not written')
    assert(this.synced <= target, 'what is synced stays so, but for a cut of the log')
    this.synced = target
    this.thoroughAtMs = this.parts.clock.monotonic() + this.parts.config.flushCommitLogThoroughInterval
    this.syncedStoredAtMs = storedAtMs
    this.parts.onSynced(this.synced)
    return true
  }

  private armTimer(): void {
    this.timer = this.parts.clock.after(
      this.parts.config.flushIntervalCommitLog,
      () => {
        if (this.hasPages || this.parts.clock.monotonic() >= this.thoroughAtMs) this.request()
        if (!this.stopped) this.armTimer()
      },
      anySlack,
    )
  }
}
