import { type Clock, isBadPlace, type Timer } from '@skua-mq/runtime'

/** So long the files of timers may fail to read before they are made again: most faults of a disk pass. */
export const patienceMs = 5000
/** Between two times that they are made again. */
const restMs = 600_000
/** The longest time between two tries meanwhile. */
const longestTryMs = 60_000
const firstTryMs = 1000

export interface BookRepairParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  /** Whether a file is one of those that can be made again. */
  readonly isOwn: (path: string) => boolean
  /** Makes them again. Whatever it throws is tried again. */
  readonly rebuild: (why: string) => Promise<void>
}

/**
 * Timer log and wheel follow from the timer's topic. Where the disk does not give a place of them for a while, or what lies there
 * is damaged, both are made again instead of being tried for ever: the messages of all units can still be read.
 */
export class BookRepair {
  private readonly parts: BookRepairParts
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  private stopped = false
  private failedAtMs = Number.NEGATIVE_INFINITY
  private tryMs = firstTryMs / 2
  private restUntilMs = Number.NEGATIVE_INFINITY

  constructor(parts: BookRepairParts) {
    this.parts = parts
  }

  /** Whether what is damaged can be made again now; else one has to go on without it. */
  get isReady(): boolean {
    return this.parts.clock.monotonic() >= this.restUntilMs
  }

  /** A read has failed: returns when it may be tried again, undefined where it is of no file of these. */
  failed(error: unknown): number | undefined {
    if (!isBadPlace(error) || !this.parts.isOwn(error.path)) return undefined
    this.failedAtMs = this.parts.clock.monotonic()
    this.arm(error.message, Math.max(patienceMs, this.restUntilMs - this.failedAtMs))
    this.tryMs = Math.min(this.tryMs * 2, longestTryMs)
    // Rather soon again than behind the end of the patience.
    return this.isReady ? firstTryMs : this.tryMs
  }

  /** What lies in the files is none of theirs. */
  damaged(why: string): void {
    this.failedAtMs = Number.POSITIVE_INFINITY
    this.arm(why, 0)
  }

  /** Resolves when nothing is made any more. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  private arm(why: string, ms: number): void {
    if (this.stopped || this.timer !== undefined || this.running !== undefined) return
    this.timer = this.parts.clock.after(ms, () => {
      this.timer = undefined
      // It has passed: whoever still fails has tried again lately.
      if (this.parts.clock.monotonic() - this.failedAtMs > 2 * firstTryMs) return this.settled()
      this.running = this.run(why).finally(() => {
        this.running = undefined
      })
    })
  }

  private async run(why: string): Promise<void> {
    try {
      await this.parts.rebuild(why)
      this.settled()
      this.restUntilMs = this.parts.clock.monotonic() + restMs
    } catch {
      // Whoever failed before tries again, and comes here again.
      this.failedAtMs = Number.NEGATIVE_INFINITY
    }
  }

  private settled(): void {
    this.failedAtMs = Number.NEGATIVE_INFINITY
    this.tryMs = firstTryMs / 2
  }
}
