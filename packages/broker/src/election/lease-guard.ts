import { type Clock, defineEvent, type Events, type Timer } from '@skua-mq/runtime'
import type { SlaveProgress } from '../ha/slave-progress.ts'

export const leaseLost = defineEvent<{ reason: string }>(
  'this broker may hold the lease of the master no longer: it takes no messages until it knows',
  'error',
)
export const leaseKept = defineEvent<Record<never, never>>(
  'this broker takes messages again: it holds the lease of the master, or those who could take it wait for its messages',
  'warn',
)

export interface LeaseGuardParts {
  readonly clock: Clock
  readonly events: Events
  /** A send is acknowledged when the others have it (SYNC_MASTER). */
  readonly waitsForOthers: boolean
  readonly progress: Pick<SlaveProgress, 'available'>
  /** How many others could be the master. */
  readonly others: () => number
  /** Messages are refused with this until the answer is called. */
  readonly hold: (remark: string) => () => void
  /** Called before each message that is to be taken. */
  readonly beforeAppends: (run: (() => void) | undefined) => void
}

/**
 * A master whose lease may have ended takes messages on only where nobody else could be the master, or where whoever could be has
 * each of them before it is acknowledged. So it goes by the clock where it waits for no slave, and else by its slaves. The clock is looked at
 * with each message: in a process that stood still what came meanwhile is read before its timers run.
 */
export class LeaseGuard {
  private readonly parts: LeaseGuardParts
  private untilMs = Number.NEGATIVE_INFINITY
  private timer: Timer | undefined
  private release: (() => void) | undefined
  private isStopped = false

  constructor(parts: LeaseGuardParts) {
    this.parts = parts
    if (!parts.waitsForOthers) parts.beforeAppends(() => this.look())
  }

  /** By the monotonic clock: nobody else can hold the lease before then. */
  confirmed(untilMs: number): void {
    if (this.isStopped) return
    this.untilMs = untilMs
    this.arm()
    this.look()
  }

  /** Node's timers may run a millisecond early. */
  private arm(): void {
    const { clock } = this.parts
    this.timer?.cancel()
    this.timer = clock.after(Math.max(0, Math.ceil(this.untilMs - clock.monotonic())), () => {
      if (clock.monotonic() < this.untilMs) this.arm()
      else this.look()
    })
  }

  /** The time has come, a slave falters or is back, or the registry does not answer. */
  look(): void {
    if (this.isStopped) return
    const { clock, progress, waitsForOthers, others, hold, events } = this.parts
    const isSafe = clock.monotonic() < this.untilMs || others() === 0 || (waitsForOthers && progress.available)
    if (isSafe === (this.release === undefined)) return
    if (isSafe) {
      this.release?.()
      this.release = undefined
      events.emit(leaseKept({}))
      return
    }
    const reason = `the lease of the master could not be renewed in time${waitsForOthers ? ', and no slave answers' : ''}`
    events.emit(leaseLost({ reason }))
    this.release = hold(`${reason}: another broker may be the master (failoverLeaseTime)`)
  }

  /** With the life of the broker; what it held goes with that. */
  stop(): void {
    this.isStopped = true
    this.timer?.cancel()
    this.parts.beforeAppends(undefined)
  }
}
