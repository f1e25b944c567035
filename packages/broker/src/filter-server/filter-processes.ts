import { type Clock, defineEvent, type Events, type Service, type Timer } from '@skua-mq/runtime'

export const filterProcessEnded = defineEvent<{ why: string; againInMs: number }>('filter server ended', 'warn')

/** A running filter server, as whoever embeds the broker starts it. */
export interface FilterProcess {
  /** Told once when it is gone, for whatever reason. */
  onEnd(run: (why: string) => void): void
  stop(): Promise<void>
}

/** What a filter server must know to be started. */
export interface FilterProcessPlan {
  readonly brokerAddr: string
  readonly bindAddress: string
  readonly callTimeoutMs: number
  readonly memoryBytes: number
}

export type StartFilterProcess = (plan: FilterProcessPlan) => FilterProcess

export interface FilterProcessesParts {
  readonly clock: Clock
  readonly events: Events
  /** filterServerNums */
  readonly count: number
  readonly plan: FilterProcessPlan
  readonly startProcess: StartFilterProcess
}

/** After an end the next one is started so much later; doubled while they keep ending soon. */
const firstPauseMs = 1000
const longestPauseMs = 30_000
/** One that has lived so long has not failed at its start. */
const settledMs = 60_000

/** Keeps `filterServerNums` filter servers running, each a process of its own. */
export class FilterProcesses implements Service {
  readonly name = 'filter servers'
  private readonly parts: FilterProcessesParts
  private readonly running = new Set<FilterProcess>()
  private readonly timers = new Set<Timer>()
  private stopped = false

  constructor(parts: FilterProcessesParts) {
    this.parts = parts
  }

  async start(): Promise<void> {
    try {
      for (let i = 0; i < this.parts.count; i++) this.begin(firstPauseMs)
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.stopped = true
    for (const timer of this.timers) timer.cancel()
    await Promise.all([...this.running].map(process => process.stop()))
  }

  private begin(pauseMs: number): void {
    const { clock, events, plan, startProcess } = this.parts
    const begunAt = clock.monotonic()
    const process = startProcess(plan)
    this.running.add(process)
    process.onEnd(why => {
      this.running.delete(process)
      if (this.stopped) return
      const againInMs = clock.monotonic() - begunAt >= settledMs ? firstPauseMs : pauseMs
      events.emit(filterProcessEnded({ why, againInMs }))
      this.later(againInMs)
    })
  }

  private later(ms: number): void {
    const timer = this.parts.clock.after(ms, () => {
      this.timers.delete(timer)
      const againInMs = Math.min(longestPauseMs, ms * 2)
      try {
        this.begin(againInMs)
      } catch (error) {
        // A machine without memory or processes to spare now may have some later; the broker goes on meanwhile.
        this.parts.events.emit(filterProcessEnded({ why: `not started: ${(error as Error).message}`, againInMs }))
        this.later(againInMs)
      }
    })
    this.timers.add(timer)
  }
}
