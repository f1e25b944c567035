/** Messages that were stored and taken since the start. */
export interface Totals {
  readonly put: number
  readonly got: number
}

const none: Totals = { put: 0, got: 0 }

/** What the totals were when this day and the day before began, by local time: tools tell today's and yesterday's by them. */
export class Mornings {
  today = none
  yesterday = none
  private day: string | undefined

  /** To be called every few seconds. A wall clock that is set back begins a day, too: it cannot be told from a long sleep. */
  look(nowMs: number, totals: Totals): void {
    const day = new Date(nowMs).toDateString()
    if (this.day !== undefined && this.day !== day) {
      this.yesterday = this.today
      this.today = totals
    }
    this.day = day
  }
}
