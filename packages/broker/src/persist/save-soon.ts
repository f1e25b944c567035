import { type Clock, delay, type Timer } from '@skua-mq/runtime'

/**
 * Between two saves there is a pause of some times what the last one took, so that a flood of changes neither writes a
 * large table all the time nor waits long for a small one.
 */
const pauseFactor = 3
const longestPauseMs = 100
/** What could not be saved, and nobody waits for, is tried again after that. */
export const retryMs = 5000

/**
 * Saves a table after its changes: one save at a time, and what changes meanwhile goes with the next, all of it together.
 */
export class SaveSoon {
  private readonly clock: Pick<Clock, 'after' | 'monotonic'>
  private readonly save: () => Promise<boolean>
  private lastMs = 0
  private running: Promise<boolean> | undefined
  private next: Promise<boolean> | undefined
  private retry: Timer | undefined
  private stopped = false

  /** `save` says whether it succeeded. */
  constructor(clock: Pick<Clock, 'after' | 'monotonic'>, save: () => Promise<boolean>) {
    this.clock = clock
    this.save = save
  }

  /** Something was changed: resolves when it was saved, true, or could not be. */
  ask(): Promise<boolean> {
    if (this.running === undefined) {
      this.running = this.round()
      return this.running
    }
    this.next ??= this.running
      .then(() => this.pause())
      .then(() => {
        this.running = this.next
        this.next = undefined
        return this.round()
      })
    return this.next
  }

  /** Something was changed for which nobody waits: it is saved, however often that has to be tried. */
  owe(): void {
    void this.ask().then(isSaved => {
      if (isSaved || this.stopped) return
      this.retry ??= this.clock.after(retryMs, () => {
        this.retry = undefined
        this.owe()
      })
    })
  }

  /**
   * The table is saved by its own stop, right behind this: what waits for a save is told that of none, and nothing is
   * written any more, since the directory may be another's soon.
   */
  stop(): void {
    this.stopped = true
    this.retry?.cancel()
  }

  /** Resolves when what was changed up to now was saved, or could not be. */
  async settled(): Promise<void> {
    await (this.next ?? this.running)
  }

  private async round(): Promise<boolean> {
    if (this.stopped) return false
    const begunMs = this.clock.monotonic()
    const isSaved = await this.save()
    this.lastMs = this.clock.monotonic() - begunMs
    if (this.next === undefined) this.running = undefined
    return isSaved
  }

  private async pause(): Promise<void> {
    const ms = Math.min(longestPauseMs, pauseFactor * this.lastMs)
    if (ms > 0) await delay(this.clock, ms)
  }
}
