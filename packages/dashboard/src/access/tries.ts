import type { Clock } from '@skua-mq/runtime'

/** Wrong passwords in `windowMs`: of one address for one name, of one address, and of all together. */
export const maxTries = { ofName: 5, ofAddress: 20, ofAll: 200 } as const
const windowMs = 5 * 60_000
/** An address from which an account signed in is believed for so long not to be one of those that guess all over. */
const believedMs = 7 * 24 * 3_600_000
/** Keys that are counted; the oldest one is forgotten first. */
const maxKeys = 10_000

/**
 * Bounds how many passwords somebody may try. Whoever signed in before is not shut out by others at other addresses; at an
 * address that is new for his account he waits like all while very many are tried.
 */
export class Tries {
  private readonly clock: Clock
  private readonly counts = new Map<string, { count: number; readonly untilMs: number }>()
  /** Until when an account is believed at an address. */
  private readonly believed = new Map<string, number>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** How long to wait before the next try, ms; 0 for not at all. */
  waitMs(name: string, from: string): number {
    const isBelieved = (this.believed.get(ownKey(name, from)) ?? 0) > this.clock.monotonic()
    const keys = keysOf(name, from).filter(([key]) => key !== '' || !isBelieved)
    return Math.max(0, ...keys.map(([key, max]) => this.left(key, max)))
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
    const own = ownKey(name, from)
    this.notTried(name, from)
    this.counts.delete(own)
    this.believed.delete(own)
    this.believed.set(own, this.clock.monotonic() + believedMs)
    if (this.believed.size > maxKeys) this.believed.delete(this.believed.keys().next().value!)
  }

  /** Takes a try off again: the password was right, or nobody looked at it. */
  notTried(name: string, from: string): void {
    for (const [key] of keysOf(name, from)) {
      const known = this.counts.get(key)
      if (known !== undefined && known.count > 0) known.count--
    }
  }

  private left(key: string, max: number): number {
    const known = this.counts.get(key)
    if (known === undefined || known.count < max) return 0
    return Math.max(0, known.untilMs - this.clock.monotonic())
  }
}

const ownKey = (name: string, from: string): string => `${from} ${name}`

const keysOf = (name: string, from: string): [key: string, max: number][] => [
  [ownKey(name, from), maxTries.ofName],
  [from, maxTries.ofAddress],
  ['', maxTries.ofAll],
]
