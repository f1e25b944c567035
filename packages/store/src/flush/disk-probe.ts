import { assert, BrokenInvariant, type Clock, type DiskFile, Failure, type Timer } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { StoreConfig } from '../config.ts'
import type { Health } from '../health.ts'
import type { LogFlush } from './log-flush.ts'

export interface DiskProbeParts {
  readonly clock: Clock
  readonly config: StoreConfig
  readonly log: CommitLog
  readonly flush: LogFlush
  readonly health: Health
}

const stepBytes = 1024 * 1024

/**
 * After a failed write or fdatasync: tries every `diskProbeInterval` whether the disk can be written again, by doing
 * the very thing that failed. Bytes which the failed turn may have left behind the end of the log are made zero, and
 * bytes whose fdatasync failed are written again, since the kernel may have dropped them.
 */
export class DiskProbe {
  private readonly parts: DiskProbeParts
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  private stopped = false

  constructor(parts: DiskProbeParts) {
    this.parts = parts
  }

  /** Nothing of it touches the log any more when this resolves. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  /** Begins to probe, unless it does already. */
  begin(): void {
    if (this.timer === undefined && this.running === undefined && !this.stopped) this.arm()
  }

  private arm(): void {
    this.timer = this.parts.clock.after(this.parts.config.diskProbeInterval, () => {
      this.timer = undefined
      this.running = this.probe().finally(() => {
        this.running = undefined
        // What failed while the probe was about something else is seen here, too.
        if (this.isNeeded && !this.stopped) this.arm()
      })
    })
  }

  private get isNeeded(): boolean {
    const { health } = this.parts
    return !health.has('fault') && (health.has('log sync') || health.has('log write'))
  }

  private async probe(): Promise<void> {
    const { health, flush } = this.parts
    // It would repair by figures that are wrong.
    if (health.has('fault')) return
    try {
      if (health.has('log sync')) {
        const failures = flush.failureCount
        await this.rewriteUnsynced()
        if (!(await flush.retry(failures))) return
        health.clear('log sync')
      }
      if (health.has('log write')) {
        await this.clearStray()
        health.clear('log write')
      }
    } catch (error) {
      // The cause stands in `health` already; the next probe tries again. A fault of ours is no fault of the disk.
      health.distrust(error)
      if (error instanceof BrokenInvariant) throw error
    }
  }

  private mustGoOn(): void {
    if (this.stopped) throw new Failure('ESTOPPED', 'the store stops')
  }

  /**
   * Zero bytes behind the end, in the file of the end and the next one; one page at least, so that space is really
   * tried. They are synced before anything else is written there: a power cut could bring back records of the failed
   * turn between those that follow.
   */
  private async clearStray(): Promise<void> {
    const { log } = this.parts
    const zeros = Buffer.alloc(stepBytes)
    const stop = Math.max(log.strayEnd, log.written + 4096)
    for (let at = log.written; at < stop; ) {
      this.mustGoOn()
      const base = Math.floor(at / log.segments.size) * log.segments.size
      const handle = log.segments.acquire(log.segments.ensure(base))
      try {
        const length = Math.min(stop - at, zeros.length, base + log.segments.size - at)
        handle.file.writeSync(zeros, 0, length, at - base)
        await this.sync(handle.file)
        at += length
      } finally {
        log.segments.release(handle)
      }
    }
    log.strayEnd = log.written
  }

  /** These files hold bytes of the log which are not synced yet: a failure here is one of theirs. */
  private async sync(file: Pick<DiskFile, 'syncData'>): Promise<void> {
    try {
      await file.syncData()
    } catch (error) {
      this.parts.flush.failed(error)
      throw error
    }
  }

  /**
   * Writes what may not be on the medium over itself. Nothing of the log below `written` changes, so that what is read
   * stays true; it is cut only when this is over. Throws DiskError.
   */
  async rewriteUnsynced(): Promise<void> {
    const { log, flush } = this.parts
    const bytes = Buffer.allocUnsafe(stepBytes)
    // What is deleted needs no repair.
    for (let at = Math.max(flush.synced, log.minOffset); at < log.written; ) {
      this.mustGoOn()
      const segment = log.segments.find(at)
      assert(segment !== undefined, 'all of the log above its first file lies in a segment')
      const handle = log.segments.acquire(segment)
      try {
        const room = segment.base + log.segments.size - at
        const length = await this.bytesOfLog(handle.file, at, {
          into: bytes,
          length: Math.min(bytes.length, room, log.written - at),
          base: segment.base,
        })
        if (length === 0) throw new Failure('ESHORT', `${segment.path} ends before byte ${at - segment.base}`)
        await handle.file.write(bytes, 0, length, at - segment.base)
        at += length
      } finally {
        log.segments.release(handle)
      }
    }
  }

  /** From memory where the log is still there: the file's pages may be gone. */
  private async bytesOfLog(
    file: DiskFile,
    at: number,
    { into, length, base }: { into: Buffer; length: number; base: number },
  ): Promise<number> {
    const chunk = this.parts.log.ring.find(at, 1)
    if (chunk !== undefined) {
      const from = at - chunk.base
      return chunk.bytes.copy(into, 0, from, Math.min(chunk.used, from + length))
    }
    return file.read(into, 0, length, at - base)
  }
}
