import type { Clock } from '@skua-mq/runtime'

/**
 * Between two saves there is a pause of some times what the last one took, so that a flood of new entries neither writes a
 * large table all the time nor waits long for a small one.
 */
const pauseFactor = 3
const longestPauseMs = 100

/** Saves a table that the broker itself adds to: one save at a time, and what is added meanwhile goes with the next. */
export class SaveSoon {
  private readonly clock: Pick<Clock, 'after' | 'monotonic'>
  private readonly save: () => Promise<void>
  private lastMs = 0
  private saving: { readonly now: Promise<void>; next?: Promise<void> } | undefined

  constructor(clock: Pick<Clock, 'after' | 'monotonic'>, save: () => Promise<void>) {
    this.clock = clock
    this.save = save
  }

  /** Something was added. */
  ask(): void {
    if (this.saving === undefined) this.saving = { now: this.round() }
    else this.saving.next ??= this.saving.now.then(() => this.pause()).then(() => this.round())
  }

  /** Resolves when what was added up to now was saved, or could not be. */
  settled(): Promise<void> {
    return this.saving?.next ?? this.saving?.now ?? Promise.resolve()
  }

  private async round(): Promise<void> {
    const own = this.saving?.next
    if (own !== undefined) this.saving = { now: own }
    const begunMs = this.clock.monotonic()
    await this.save()
    this.lastMs = this.clock.monotonic() - begunMs
    if (this.saving?.next === undefined) this.saving = undefined
  }

  private pause(): Promise<void> {
    return new Promise(resolve => this.clock.after(Math.min(longestPauseMs, pauseFactor * this.lastMs), resolve))
  }
}
