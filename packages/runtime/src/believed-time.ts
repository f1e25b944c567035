import type { Clock } from './clock.ts'

/** A wall clock that jumps ahead by more than this is not believed at once ... */
export const believedJumpMs = 60_000
/** ... but after it has stayed there for so long. */
export const believedAfterMs = 60_000

/**
 * The wall clock for whoever throws things away because they are old: one bad reading, or a clock that is wrong for a
 * moment, makes nothing old. To be asked now and then, at each round of such work. A clock that goes back is believed at
 * once, since nothing is lost by it.
 */
export class BelievedTime {
  private readonly clock: Clock
  /** Believed wall clock less monotonic clock. */
  private offsetMs: number | undefined
  private jumpedAtMs: number | undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  now(): number {
    const { clock } = this
    const monotonicMs = clock.monotonic()
    const offsetMs = clock.now() - monotonicMs
    const believedMs = this.offsetMs
    if (believedMs === undefined || offsetMs - believedMs <= believedJumpMs) return this.believe(offsetMs)
    this.jumpedAtMs ??= monotonicMs
    if (monotonicMs - this.jumpedAtMs >= believedAfterMs) return this.believe(offsetMs)
    return Math.floor(monotonicMs + believedMs)
  }

  private believe(offsetMs: number): number {
    this.offsetMs = offsetMs
    this.jumpedAtMs = undefined
    return this.clock.now()
  }
}
