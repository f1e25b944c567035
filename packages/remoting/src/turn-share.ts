import type { Clock } from '@skua-mq/runtime'
import { bytesPerMs, type Later } from './later.ts'

/** Slices of others' memory that one write pins at most; more go out in the next turn. */
const maxSlicesPerTurn = 256

/** So much is read of a connection in a turn at least; less where the work of the turn is done. */
const leastTurnBytes = 512 * 1024
const spentTurnBytes = 64 * 1024

/** Whoever took so much of a turn waits for another one, where the work of a turn is done, and for how long it does so. */
const costlyMs = 1
const costlyForMs = 1000

/** Hot frames between two looks at the clock. */
const framesPerLook = 16

/** What one connection may take of a turn, which all of them share; without `later` there is no end to it. */
export class TurnShare {
  /** Set for a frame that may have cost far more than a hot one: the time is looked at behind it. */
  heavy = false
  private readonly clock: Clock
  private readonly later: Later | undefined
  /** Until when this run of frames may take, on the monotonic clock, and how many frames it has seen. */
  private deadlineMs = Number.POSITIVE_INFINITY
  private run = 0
  begunMs = 0
  private begunAnswered = 0
  /** How many bytes of answers may stand before the others have their turn. */
  private mostAnswered = Number.POSITIVE_INFINITY
  private readonly mostSlices: number
  /** Bytes that were taken in a turn. */
  private turn = -1
  private turnBytes = 0
  /** When it was costly last, on the monotonic clock. */
  private costlyAtMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, later: Later | undefined) {
    this.clock = clock
    this.later = later
    this.mostSlices = later === undefined ? Number.POSITIVE_INFINITY : maxSlicesPerTurn
  }

  /** The work of this turn is done, and this one was costly lately, or will be. */
  mustWait(willBeCostly: boolean): boolean {
    if (this.later?.isSpent !== true) return false
    return willBeCostly || this.clock.monotonic() - this.costlyAtMs < costlyForMs
  }

  /** Before frames are handled. `answered`: bytes of answers that stand already. */
  begin(answered: number): void {
    const { later } = this
    if (later === undefined) return
    this.run = 0
    this.begunMs = later.seenMs = this.clock.monotonic()
    this.begunAnswered = answered
    this.deadlineMs = this.begunMs + later.sliceMs
    this.mostAnswered = answered + later.sliceMs * bytesPerMs
  }

  /** Behind a frame: whether the next one may be handled now. */
  allows(answered: number, slices: number): boolean {
    if (slices > this.mostSlices || answered >= this.mostAnswered) return false
    this.run++
    if (!this.heavy && this.run % framesPerLook !== 0) return true
    return this.later === undefined || this.clock.monotonic() < this.deadlineMs
  }

  /** Behind the last frame. Returns whether so many bytes were taken in this turn that the others come first. */
  end(taken: number, answered: number): boolean {
    const { later } = this
    if (later === undefined) return false
    // A few hot frames take no time that a clock would show.
    const ms = this.heavy || this.run >= framesPerLook ? this.clock.monotonic() - this.begunMs : 0
    const spentMs = later.spent(ms, taken + Math.max(0, answered - this.begunAnswered))
    if (spentMs >= costlyMs) this.costlyAtMs = this.begunMs
    this.heavy = false
    return this.isEnough(later, taken)
  }

  /** The system reads on for a peer that sends without end, up to 8 MiB, before it looks at another one. */
  private isEnough(later: Later, taken: number): boolean {
    if (this.turn !== later.turn) {
      this.turn = later.turn
      this.turnBytes = 0
    }
    this.turnBytes += taken
    return this.turnBytes >= (later.isSpent ? spentTurnBytes : Math.max(leastTurnBytes, later.sliceMs * bytesPerMs))
  }
}
