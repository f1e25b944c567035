import type { Clock } from '@skua-mq/runtime'

/** How long it is remembered that a broker gave no answer. */
const keepMs = 10_000
/** Most brokers of which it is remembered. */
const maxSilent = 1000

/** Brokers that gave no answer lately: where another one can be asked as well, it is asked first. */
export class Silent {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly untilMs = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock
  }

  add(address: string): void {
    this.untilMs.delete(address)
    this.untilMs.set(address, this.clock.monotonic() + keepMs)
    // The oldest stands first.
    if (this.untilMs.size > maxSilent) for (const oldest of this.untilMs.keys()) return void this.untilMs.delete(oldest)
  }

  has(address: string): boolean {
    return (this.untilMs.get(address) ?? 0) > this.clock.monotonic()
  }
}
