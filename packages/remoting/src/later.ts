import type { Clock, Turn, TurnSlot } from '@skua-mq/runtime'

/** Whose frames wait for another turn. */
export interface Waiting {
  /** Handles some of them. */
  proceed(): void
}

/**
 * Work for connections in one turn, whoever they are: beyond it, each further one gets only the least slice, and who has
 * had a slice of the last turns already gets none.
 */
export const turnWorkMs = 5
const leastSliceMs = 1

/** Bytes that are read or answered count as work as well: the kernel copies them when nobody looks at a clock. */
export const bytesPerMs = 256 * 1024

/**
 * Connections with frames left over, in the order in which they stopped. In a turn they are served for `turnWorkMs` in
 * all, at least one of them, so that the newly come are never behind all that one peer has sent.
 */
export class Later {
  private readonly clock: Clock
  private readonly slot: TurnSlot
  private waiting: Waiting[] = []
  private next = 0
  /** Work in this turn so far, in milliseconds. */
  private spentMs = 0
  /** Counts turns in which something was done, so that whoever counts for a turn knows when the next one has begun. */
  turn = 0
  /** When a connection was given bytes last, monotonic: a clock for those who need not know the time exactly. */
  seenMs = 0

  constructor(clock: Clock, turn: Turn) {
    this.clock = clock
    this.slot = turn.join('send', () => this.run())
  }

  add(one: Waiting): void {
    this.waiting.push(one)
    this.slot.arm()
  }

  /** The work of this turn is done: what can wait waits. */
  get isSpent(): boolean {
    return this.spentMs >= turnWorkMs
  }

  /** How long the frames of a connection may be worked on now. */
  get sliceMs(): number {
    return Math.max(leastSliceMs, turnWorkMs - this.spentMs)
  }

  /** So much the frames of one connection cost; returns all of it in milliseconds. */
  spent(ms: number, bytes: number): number {
    const all = ms + bytes / bytesPerMs
    this.spentMs += all
    this.slot.arm()
    return all
  }

  leave(): void {
    this.waiting = []
    this.next = 0
    this.slot.leave()
  }

  private run(): void {
    const until = this.clock.monotonic() + turnWorkMs
    this.turn++
    this.spentMs = 0
    // Those that come back stand behind these.
    for (let left = this.waiting.length - this.next; left > 0; left--) {
      this.waiting[this.next++]?.proceed()
      if (this.spentMs >= turnWorkMs || this.clock.monotonic() >= until) break
    }
    if (this.next > 1024 || this.next >= this.waiting.length) {
      this.waiting = this.waiting.slice(this.next)
      this.next = 0
    }
    // What these asked for is answered in the next turn, which belongs to those that come.
    this.turn++
    this.spentMs = 0
    if (this.waiting.length > 0) this.slot.arm()
  }
}
