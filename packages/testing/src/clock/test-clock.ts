import { type Clock, type Duration, delay, milliseconds, NodeClock, VirtualClock } from '@skua-mq/runtime'
import type { Quiet } from './quiet.ts'

/** The clock of a test's broker, and of the clients that share it. */
export interface TestClock {
  readonly kind: 'virtual' | 'real'
  /** Milliseconds since the epoch. */
  now(): number
  date(): Date
  /**
   * Lets time pass: all that comes due on the way runs in the order of its time, each behind what followed from the one
   * before. Resolves when all is quiet. A real clock waits for so long.
   */
  advance(duration: Duration): Promise<void>
  /** To a time that lies ahead; the same time, and times before, are no step. */
  advanceTo(time: Date | number): Promise<void>
  /** Resolves when so much time has passed: for handlers, and for whatever runs beside the test. */
  sleep(duration: Duration): Promise<void>
  /** Lets time pass, from one thing that is due to the next, until the promise is settled. Default limit: a day. */
  until<T>(promise: Promise<T>, limit?: Duration): Promise<T>
}

/** A clock for parts, and how a test moves it. */
export interface Clocks {
  readonly clock: Clock
  readonly test: TestClock
  /** Only a virtual one. */
  readonly virtual: VirtualClock | undefined
}

export function virtualClocks(startMs: number, quiet: Quiet): Clocks {
  const clock = new VirtualClock(startMs, quiet.stir)
  return { clock, virtual: clock, test: new VirtualTestClock(clock, quiet) }
}

export function realClocks(quiet: Quiet): Clocks {
  const clock = new NodeClock()
  const test: TestClock = {
    kind: 'real',
    now: () => clock.now(),
    date: () => new Date(clock.now()),
    advance: async duration => {
      await delay(clock, milliseconds(duration))
      await quiet.settle()
    },
    advanceTo: async time => {
      await delay(clock, Math.max(0, Number(time) - clock.now()))
      await quiet.settle()
    },
    sleep: duration => delay(clock, milliseconds(duration)),
    until: promise => promise,
  }
  return { clock, virtual: undefined, test }
}

class VirtualTestClock implements TestClock {
  readonly kind = 'virtual'
  private readonly clock: VirtualClock
  private readonly quiet: Quiet
  /** Whoever moves the clock: one at a time. */
  private moving: Promise<unknown> = Promise.resolve()

  constructor(clock: VirtualClock, quiet: Quiet) {
    this.clock = clock
    this.quiet = quiet
  }

  now(): number {
    return this.clock.now()
  }

  date(): Date {
    return new Date(this.clock.now())
  }

  advance(duration: Duration): Promise<void> {
    const ms = milliseconds(duration)
    return this.alone(() => this.pass(() => ms))
  }

  advanceTo(time: Date | number): Promise<void> {
    const atMs = Number(time)
    if (!Number.isFinite(atMs)) throw new RangeError(`${time} is no time`)
    return this.alone(() => this.pass(() => Math.max(0, atMs - this.clock.now())))
  }

  sleep(duration: Duration): Promise<void> {
    const ms = milliseconds(duration)
    return this.quiet.sleeping(() => delay(this.clock, ms))
  }

  until<T>(promise: Promise<T>, limit: Duration = '1d'): Promise<T> {
    const limitMs = milliseconds(limit)
    let isSettled = false
    const mark = () => {
      isSettled = true
    }
    promise.then(mark, mark)
    return this.alone(async () => {
      const endMs = this.clock.monotonic() + limitMs
      for (;;) {
        await this.quiet.settle()
        if (isSettled) return promise
        const next = this.clock.nextStopMs
        if (next > endMs) throw new Error(`not settled within ${limitMs} ms of virtual time`)
        this.clock.stopAt(next)
      }
    })
  }

  private async pass(ms: () => number): Promise<void> {
    await this.quiet.settle()
    const endMs = this.clock.monotonic() + ms()
    for (let next = this.clock.nextStopMs; next <= endMs; next = this.clock.nextStopMs) {
      this.clock.stopAt(next)
      await this.quiet.settle()
    }
    this.clock.stopAt(endMs)
    this.clock.rest()
    await this.quiet.settle()
    while (this.clock.hasDue) {
      this.clock.stopAt(endMs)
      await this.quiet.settle()
    }
  }

  private alone<T>(move: () => Promise<T>): Promise<T> {
    const moved = this.moving.then(move)
    this.moving = moved.catch(() => {})
    return moved
  }
}
