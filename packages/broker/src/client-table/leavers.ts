import type { Clock } from '@skua-mq/runtime'

/** Memberships that end one after another, whatever connections they are of; the others wait for another turn. */
export const leftAtOnce = 500
/** Behind a pause of this length so many more do. */
const pauseMs = 5

/**
 * What a closed connection was a member of. One may be a member of 26,000 groups, and hundreds may close in the same
 * turn: some of it is undone in each.
 */
export class Leavers {
  private readonly clock: Pick<Clock, 'after' | 'monotonic'>
  private readonly waiting: Iterator<void>[] = []
  private left = 0
  private sinceMs = Number.NEGATIVE_INFINITY

  constructor(clock: Leavers['clock']) {
    this.clock = clock
  }

  /** Each step ends one membership. The first steps are done when this returns. */
  add(work: Iterator<void>): void {
    this.waiting.push(work)
    if (this.waiting.length > 1) return
    const now = this.clock.monotonic()
    if (now - this.sinceMs >= pauseMs) {
      this.left = 0
      this.sinceMs = now
    }
    this.proceed()
  }

  private proceed(): void {
    let done = 0
    for (; done < this.waiting.length && this.left < leftAtOnce; this.left++)
      if (this.waiting[done]?.next().done === true) done++
    this.waiting.splice(0, done)
    if (this.waiting.length === 0) return
    this.clock.after(0, () => {
      this.left = 0
      this.proceed()
    })
  }
}
