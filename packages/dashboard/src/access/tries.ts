import type { Clock } from '@skua-mq/runtime'

/** Wrong passwords in `windowMs`: of one address for one name, of one address, and of all together. */
export const maxTries = { ofName: 5, ofAddress: 20, ofAll: 200 } as const
const windowMs = 5 * 60_000
/** Keys that are counted; the oldest one is forgotten first. */
const maxKeys = 10_000

/** Bounds how many passwords somebody may try. Who knows the right one is not shut out by others at other addresses. */
export class Tries {
  private readonly clock: Clock
  private readonly counts = new Map<string, { count: number; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** How long to wait before the next try, ms; 0 for not at all. */
  waitMs(name: string, from: string): number {
    return Math.max(0, ...keysOf(name, from).map(([key, max]) => this.left(key, max)))
  }

  failed(name: string, from: string): void {
    const now = this.clock.monotonic()
    for (const [key] of keysOf(name, from)) {
      const known = this.counts.get(key)
      if (known !== undefined && now < known.untilMs) known.count++
      else {
        this.counts.delete(key)
        this.counts.set(key, { count: 1, untilMs: now + windowMs })
      }
    }
    while (this.counts.size > maxKeys) this.counts.delete(this.counts.keys().next().value!)
  }

  succeeded(name: string, from: string): void {
    const [[own], ...others] = keysOf(name, from) as [[string, number], ...[string, number][]]
    this.counts.delete(own)
    for (const [key] of others) {
      const known = this.counts.get(key)
      if (known !== undefined) known.count--
    }
  }

  private left(key: string, max: number): number {
    const known = this.counts.get(key)
    if (known === undefined || known.count < max) return 0
    return Math.max(0, known.untilMs - this.clock.monotonic())
  }
}

const keysOf = (name: string, from: string): [key: string, max: number][] => [
  [`${from} ${name}`, maxTries.ofName],
  [from, maxTries.ofAddress],
  ['', maxTries.ofAll],
]
