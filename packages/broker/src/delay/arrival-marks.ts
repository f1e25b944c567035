/** Marks that are kept for one level; the more its messages come spread out, the coarser they are. */
export const maxMarks = 64
/** Arrivals that lie closer together share a mark. */
const leastStepMs = 20

interface Mark {
  /** Messages before this queue offset had arrived ... */
  upTo: number
  /** ... at this time of the monotonic clock. */
  atMs: number
  readonly begunMs: number
}

/**
 * When the messages of a delay level had arrived at the latest, by the clock that never steps. A wall clock that was ahead
 * for one stored message puts a wrong time into it and, since times of the log do not go back, into all behind it until it
 * is caught up with. By these marks such a message still waits as long as its level says, and no longer.
 */
export class ArrivalMarks {
  private readonly marks: Mark[] = []
  private readonly stepMs: number

  constructor(delayMs: number) {
    this.stepMs = Math.max(leastStepMs, delayMs / (maxMarks / 2))
  }

  /** The queue has messages up to `upTo`. */
  note(upTo: number, nowMs: number): void {
    const last = this.marks.at(-1)
    if (last !== undefined && upTo <= last.upTo) return
    if (last !== undefined && nowMs - last.begunMs < this.stepMs) {
      last.upTo = upTo
      last.atMs = nowMs
      return
    }
    if (this.marks.length >= maxMarks) this.marks.shift()
    this.marks.push({ upTo, atMs: nowMs, begunMs: nowMs })
  }

  /** When the message at `offset` had arrived at the latest; undefined before it was noted. */
  arrivedBy(offset: number): number | undefined {
    return this.marks.find(mark => offset < mark.upTo)?.atMs
  }

  /** All before `offset` are delivered. */
  forget(offset: number): void {
    while (this.marks.length > 0 && this.marks[0]!.upTo <= offset) this.marks.shift()
  }
}
