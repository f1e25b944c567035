import type { Clock, DiskFile, Timer } from '@skua-mq/runtime'
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
  private stopped = false

  constructor(parts: DiskProbeParts) {
    this.parts = parts
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }

  /** Begins to probe, unless it does already. */
  begin(): void {
    if (this.timer === undefined && !this.stopped) this.arm()
  }

  private arm(): void {
    this.timer = this.parts.clock.after(this.parts.config.diskProbeInterval, () => {
      this.probe().then(done => {
        this.timer = undefined
        if (!done && !this.stopped) this.arm()
      })
    })
  }

  private async probe(): Promise<boolean> {
    const { health, flush } = this.parts
    try {
      if (health.has('log sync')) {
        await this.rewriteUnsynced()
        await flush.retry()
        health.clear('log sync')
      }
      if (health.has('log write')) {
        await this.clearStray()
        health.clear('log write')
      }
      return true
    } catch {
      // The cause stands in `health` already; the next probe tries again.
      return false
    }
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

  /** Writes what may not be on the medium over itself. Throws DiskError. */
  async rewriteUnsynced(): Promise<void> {
    const { log, flush } = this.parts
    const bytes = Buffer.allocUnsafe(stepBytes)
    for (let at = flush.synced; at < log.written; ) {
      const segment = log.segments.find(at)
      if (segment === undefined) return
      const handle = log.segments.acquire(segment)
      try {
        const room = segment.base + log.segments.size - at
        const length = await this.bytesOfLog(at, {
          into: bytes,
          length: Math.min(bytes.length, room, log.written - at),
        })
        await handle.file.write(bytes, 0, length, at - segment.base)
        at += length
      } finally {
        log.segments.release(handle)
      }
    }
  }

  /** From memory where the log is still there: the file's pages may be gone. */
  private async bytesOfLog(at: number, { into, length }: { into: Buffer; length: number }): Promise<number> {
    const chunk = this.parts.log.ring.find(at, 1)
    if (chunk !== undefined) {
      const from = at - chunk.base
      return chunk.bytes.copy(into, 0, from, Math.min(chunk.used, from + length))
    }
    const segment = this.parts.log.segments.find(at)!
    const handle = this.parts.log.segments.acquire(segment)
    try {
      return await handle.file.read(into, 0, length, at - segment.base)
    } finally {
      this.parts.log.segments.release(handle)
    }
  }
}
