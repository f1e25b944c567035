import type { Clock } from '@skua-mq/runtime'
import { FilterFailed, type FilterScript } from './filter-script.ts'
import type { FilteredMessage } from './filtered-message.ts'

/** How long a filter that was stopped at a limit is left alone at first; doubled each time it happens again. */
export const firstRestMs = 1000
/** And at the most. */
export const longestRestMs = 60_000

/**
 * A registered filter: its script, and the rest that it is given when it ran into a limit, so that a filter which loops
 * costs others one call's limit now and then and not one for each message.
 */
export class Filter {
  readonly className: string
  readonly crc: number
  private readonly script: FilterScript
  private readonly clock: Clock
  private restMs = 0
  private restUntil = 0
  private lastFailure = ''

  constructor(own: { className: string; crc: number; script: FilterScript; clock: Clock }) {
    this.className = own.className
    this.crc = own.crc
    this.script = own.script
    this.clock = own.clock
  }

  /** Throws FilterFailed. */
  matches(message: FilteredMessage): boolean {
    if (this.clock.monotonic() < this.restUntil) {
      throw new FilterFailed(`${this.lastFailure}; it is not run for ${this.restMs} ms after that`, { atLimit: true })
    }
    try {
      const answer = this.script.matches(message)
      this.restMs = 0
      return answer
    } catch (error) {
      if (error instanceof FilterFailed && error.atLimit) this.rest(error.message)
      throw error
    }
  }

  private rest(failure: string): void {
    this.lastFailure = failure
    this.restMs = Math.min(longestRestMs, this.restMs === 0 ? firstRestMs : this.restMs * 2)
    this.restUntil = this.clock.monotonic() + this.restMs
  }
}
