import { FilterFailed, NoFilter } from './filter-limits.ts'
import { FilterThread, type FilterThreadParts } from './filter-thread.ts'
import type { Passed } from './worker-messages.ts'

/** How long a filter that was stopped at a limit is left alone at first; doubled each time it happens again. */
export const firstRestMs = 1000
/** And at the most. */
export const longestRestMs = 60_000
/** Pulls of one consumer group that wait for its filter; each holds the messages it was given by the broker. */
const maxWaitingPulls = 64

/**
 * A registered filter: its thread, and the rest that it is given when it ran into a limit, so that a filter which loops
 * takes the machine's time now and then and not for each pull. After the rest it begins anew from its text.
 */
export class Filter {
  readonly className: string
  readonly crc: number
  private readonly parts: FilterThreadParts
  private thread: FilterThread | undefined
  private last: Promise<unknown> = Promise.resolve()
  private waiting = 0
  private stopped = false
  private restMs = 0
  private restUntil = 0
  private lastFailure = ''
  /** Monotonic ms of the last registration or pull. */
  usedAtMs: number

  constructor(crc: number, parts: FilterThreadParts) {
    this.className = parts.context.className
    this.crc = crc
    this.parts = parts
    this.usedAtMs = parts.clock.monotonic()
  }

  used(): void {
    this.usedAtMs = this.parts.clock.monotonic()
  }

  /** Rejects with NoFilter. */
  async start(): Promise<void> {
    this.thread = await FilterThread.start(this.parts)
  }

  async stop(): Promise<void> {
    this.stopped = true
    const { thread } = this
    this.thread = undefined
    await thread?.end()
  }

  /** Which of these stored records pass, after the batches before. Rejects with FilterFailed. */
  async pass(batch: Uint8Array): Promise<Passed> {
    if (this.waiting >= maxWaitingPulls)
      throw new FilterFailed(`${maxWaitingPulls} pulls wait for it already`, { atLimit: false })
    this.waiting++
    const done = this.last.then(() => this.run(batch)).finally(() => this.waiting--)
    this.last = done.catch(() => undefined)
    return done
  }

  private async run(batch: Uint8Array): Promise<Passed> {
    if (this.parts.clock.monotonic() < this.restUntil)
      throw new FilterFailed(`${this.lastFailure}; it is not run for ${this.restMs} ms after that`, { atLimit: true })
    try {
      const passed = await (await this.running()).pass(batch)
      this.restMs = 0
      return passed
    } catch (error) {
      if (error instanceof FilterFailed && error.atLimit) await this.rest(error.message)
      throw error
    }
  }

  private async running(): Promise<FilterThread> {
    if (this.stopped) throw new FilterFailed('another text has taken its place', { atLimit: false })
    if (this.thread === undefined) {
      const thread = await FilterThread.start(this.parts).catch(error => {
        throw error instanceof NoFilter ? new FilterFailed(error.message, { atLimit: true }) : error
      })
      if (this.stopped) await thread.end()
      this.thread = thread
    }
    return this.thread
  }

  private async rest(failure: string): Promise<void> {
    const { thread } = this
    this.thread = undefined
    await thread?.end()
    this.lastFailure = failure
    this.restMs = Math.min(longestRestMs, this.restMs === 0 ? firstRestMs : this.restMs * 2)
    this.restUntil = this.parts.clock.monotonic() + this.restMs
  }
}
