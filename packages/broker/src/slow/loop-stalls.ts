import type { Clock, Timer } from '@skua-mq/runtime'

/** How often it is looked. */
export const stallLookMs = 100

/** Shorter ones are everyday, and how many of the others are remembered. */
const leastStallMs = 50
const keptStalls = 64

/**
 * When the loop was blocked: a timer that runs late tells. What stands between two looks is known to `stallLookMs`, and the
 * stall that somebody is in the middle of is known, too.
 */
export class LoopStalls {
  private readonly clock: Pick<Clock, 'monotonic' | 'after'>
  private readonly told: (ms: number) => void
  /** Begin and end, the latest last. */
  private readonly stalls: (readonly [number, number])[] = []
  private dueMs = Number.POSITIVE_INFINITY
  private timer: Timer | undefined

  /** `told` hears of each stall of at least 50 ms when it is over. */
  constructor(clock: Pick<Clock, 'monotonic' | 'after'>, told: (ms: number) => void) {
    this.clock = clock
    this.told = told
  }

  start(): void {
    if (this.timer === undefined) this.arm()
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
    this.dueMs = Number.POSITIVE_INFINITY
    this.stalls.length = 0
  }

  /** How much of this time the loop was blocked. `toMs` is now, or not long ago. */
  within(fromMs: number, toMs: number): number {
    const overlap = (begin: number, end: number) => Math.max(0, Math.min(end, toMs) - Math.max(begin, fromMs))
    let sum = toMs - this.dueMs >= leastStallMs ? overlap(this.dueMs, toMs) : 0
    for (const [begin, end] of this.stalls) sum += overlap(begin, end)
    return sum
  }

  private arm(): void {
    this.dueMs = this.clock.monotonic() + stallLookMs
    this.timer = this.clock.after(stallLookMs, () => {
      const now = this.clock.monotonic()
      const late = now - this.dueMs
      if (late >= leastStallMs) {
        this.stalls.push([this.dueMs, now])
        if (this.stalls.length > keptStalls) this.stalls.shift()
        this.told(late)
      }
      this.arm()
    })
  }
}
