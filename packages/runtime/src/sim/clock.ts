import type { Clock, Timer } from '../clock.ts'
import { loopTurn } from '../node/loop-turn.ts'
import { popTimer, pushTimer, type Queued } from './timer-heap.ts'

interface SimTimer extends Timer, Queued {
  run: (() => void) | undefined
}

/** More timers than this at one instant means that they arm each other for ever. */
const maxTimersPerInstant = 1_000_000

/** 2026-01-01T00:00:00Z: an ordinary time, so that formats of times show what they do. */
export const defaultStartMs = 1_767_225_600_000

/**
 * Time that moves only when told. Timers run in the order of their times, those of one instant in the order in which
 * they were armed. A timer of 0 ms runs in the same `advance` that reaches it.
 */
export class SimClock implements Clock {
  private elapsed = 0
  private wallOffset: number
  private armed = 0
  private readonly timers: SimTimer[] = []

  constructor(startMs: number = defaultStartMs) {
    this.wallOffset = startMs
  }

  now(): number {
    return Math.floor(this.wallOffset + this.elapsed)
  }

  monotonic(): number {
    return this.elapsed
  }

  after(ms: number, run: () => void): Timer {
    const timer: SimTimer = {
      dueAt: this.elapsed + Math.max(0, ms),
      order: this.armed++,
      run,
      cancel: () => {
        timer.run = undefined
      },
    }
    pushTimer(this.timers, timer)
    return timer
  }

  /** Milliseconds until the next timer; undefined when none is armed. */
  get nextInMs(): number | undefined {
    this.dropCancelled()
    const next = this.timers[0]
    return next && Math.max(0, next.dueAt - this.elapsed)
  }

  /** Moves the wall clock alone, either way, as an administrator or NTP does. */
  step(ms: number): void {
    this.wallOffset += ms
  }

  /** Time passes while the loop is blocked: what comes due meanwhile runs at the next `advance`. */
  block(ms: number): void {
    this.elapsed += ms
  }

  /** Lets `ms` pass and runs what comes due on the way. */
  advance(ms: number): void {
    const until = this.elapsed + ms
    let instant = this.elapsed
    let count = 0
    for (let run = this.takeDue(until); run; run = this.takeDue(until)) {
      count = instant === this.elapsed ? count + 1 : 0
      instant = this.elapsed
      if (count > maxTimersPerInstant) throw new Error('timers of 0 ms arm each other without end')
      run()
    }
    this.elapsed = Math.max(this.elapsed, until)
  }

  /** As `advance`, but promises settle before the first timer, between timers, and at the end. */
  async advanceAsync(ms: number): Promise<void> {
    const until = this.elapsed + ms
    await settled()
    for (let run = this.takeDue(until); run; run = this.takeDue(until)) {
      run()
      await settled()
    }
    this.elapsed = Math.max(this.elapsed, until)
  }

  /** Lets time pass from timer to timer until the promise is settled; fails when it is not within `limitMs`. */
  async until<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    let done = false
    const mark = () => {
      done = true
    }
    promise.then(mark, mark)
    const limit = this.elapsed + limitMs
    await settled()
    while (!done) {
      const run = this.takeDue(limit)
      if (!run) throw new Error(`not settled within ${limitMs} ms of simulated time`)
      run()
      await settled()
    }
    return promise
  }

  private takeDue(until: number): (() => void) | undefined {
    this.dropCancelled()
    const next = this.timers[0]
    if (next === undefined || next.dueAt > until) return undefined
    popTimer(this.timers)
    this.elapsed = Math.max(this.elapsed, next.dueAt)
    const { run } = next
    next.run = undefined
    return run
  }

  private dropCancelled(): void {
    while (this.timers.length > 0 && this.timers[0]!.run === undefined) popTimer(this.timers)
  }
}

/** The queue of microtasks is empty when the next immediate runs, so every promise that could settle has settled. */
const settled = loopTurn
