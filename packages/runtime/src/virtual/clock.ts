import type { Clock, Slack, Timer } from '../clock.ts'
import { popTimer, pushTimer, type Queued } from '../sim/timer-heap.ts'

/** The longest that a round which nobody waits for is put off, however far time leaps. */
export const longestSlackMs = 24 * 3_600_000

interface VirtualTimer extends Timer, Queued {
  readonly slack: Slack
  run: (() => void) | undefined
}

/**
 * Time that moves only when told, and then from one thing that is due to the next. What is due now runs by itself, at the
 * end of the loop's turn, so that whatever needs no time goes on.
 *
 * Timers run in the order of their times, those of one moment in the order in which they were armed. One with slack runs
 * when its slack is used up, or when time comes to rest behind its time; or a little before together with others, so that
 * many rounds are one stop.
 */
export class VirtualClock implements Clock {
  readonly leaps = true
  private elapsed = 0
  private wallOffset: number
  private armed = 0
  /** Those without slack, a heap. */
  private readonly exact: VirtualTimer[] = []
  private readonly lazy = new Set<VirtualTimer>()
  private draining = false
  private readonly fired: () => void

  /** `fired`: called whenever a timer has run. */
  constructor(startMs: number, fired: () => void = () => {}) {
    this.wallOffset = startMs
    this.fired = fired
  }

  now(): number {
    return Math.floor(this.wallOffset + this.elapsed)
  }

  monotonic(): number {
    return this.elapsed
  }

  after(ms: number, run: () => void, slack: Slack = 0): Timer {
    const timer: VirtualTimer = {
      dueAt: this.elapsed + Math.max(0, ms),
      order: this.armed++,
      slack,
      run,
      cancel: () => {
        timer.run = undefined
        this.lazy.delete(timer)
      },
    }
    if (slack === 0) {
      pushTimer(this.exact, timer)
      if (timer.dueAt <= this.elapsed) this.drainSoon()
    } else this.lazy.add(timer)
    return timer
  }

  /** Sets the wall clock; what is armed keeps its distance. */
  setWall(nowMs: number): void {
    this.wallOffset = nowMs - this.elapsed
  }

  /** The loop does nothing for that long: what a slow synchronous call of a disk takes. */
  block(ms: number): void {
    this.elapsed += ms
  }

  /** When the next timer has to run, monotonic; Infinity when none is armed. */
  get nextStopMs(): number {
    this.dropCancelled()
    let next = this.exact[0]?.dueAt ?? Number.POSITIVE_INFINITY
    for (const timer of this.lazy) next = Math.min(next, this.latestOf(timer))
    return Math.max(next, this.elapsed)
  }

  /** Time is `atMs` now, monotonic. Runs what has to run by then. */
  stopAt(atMs: number): void {
    this.elapsed = Math.max(this.elapsed, atMs)
    let isRound = false
    for (const timer of this.lazy) isRound ||= typeof timer.slack === 'number' && this.latestOf(timer) <= this.elapsed
    this.runLazy(timer => this.latestOf(timer) <= this.elapsed || (isRound && this.isHalfway(timer)))
    this.runDue()
  }

  /** Time rests here: also what could have waited longer runs now, where its time has come. */
  rest(): void {
    this.runLazy(timer => timer.dueAt <= this.elapsed && this.mayRun(timer))
    this.runDue()
  }

  /** Whether something is due now. */
  get hasDue(): boolean {
    this.dropCancelled()
    return (this.exact[0]?.dueAt ?? Number.POSITIVE_INFINITY) <= this.elapsed
  }

  private isHalfway({ dueAt, slack }: VirtualTimer): boolean {
    return typeof slack === 'number' && dueAt + Math.min(slack, longestSlackMs) / 2 <= this.elapsed
  }

  private mayRun({ slack }: VirtualTimer): boolean {
    return typeof slack === 'number' || slack() <= 0
  }

  private latestOf({ dueAt, slack }: VirtualTimer): number {
    if (typeof slack === 'number') return dueAt + Math.min(slack, longestSlackMs)
    return Math.max(dueAt, this.elapsed + slack())
  }

  private runLazy(isMeant: (timer: VirtualTimer) => boolean): void {
    const meant = [...this.lazy].filter(isMeant).sort((a, b) => a.dueAt - b.dueAt || a.order - b.order)
    for (const timer of meant) {
      this.lazy.delete(timer)
      this.run(timer)
    }
  }

  private runDue(): void {
    // What is armed meanwhile for this moment runs in a turn of its own, behind what these have set going.
    const armed = this.armed
    for (;;) {
      this.dropCancelled()
      const next = this.exact[0]
      if (next === undefined || next.dueAt > this.elapsed || next.order >= armed) break
      popTimer(this.exact)
      this.run(next)
    }
    if (this.hasDue) this.drainSoon()
  }

  private run(timer: VirtualTimer): void {
    const { run } = timer
    timer.run = undefined
    if (run === undefined) return
    this.fired()
    run()
  }

  private drainSoon(): void {
    if (this.draining) return
    this.draining = true
    setImmediate(() => {
      this.draining = false
      this.runDue()
    })
  }

  private dropCancelled(): void {
    while (this.exact.length > 0 && this.exact[0]!.run === undefined) popTimer(this.exact)
  }
}
