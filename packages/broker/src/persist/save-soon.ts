import type { Clock } from '@skua-mq/runtime'

/** Between two saves, so that a flood of new entries does not write the whole table all the time. */
const gapMs = 100

/** Saves a table that the broker itself adds to: one save at a time, and what is added meanwhile goes with the next. */
export class SaveSoon {
  private readonly clock: Pick<Clock, 'after'>
  private readonly save: () => Promise<void>
  private saving: { readonly now: Promise<void>; next?: Promise<void> } | undefined

  constructor(clock: Pick<Clock, 'after'>, save: () => Promise<void>) {
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
    await this.save()
    if (this.saving?.next === undefined) this.saving = undefined
  }

  private pause(): Promise<void> {
    return new Promise(resolve => this.clock.after(gapMs, resolve))
  }
}
