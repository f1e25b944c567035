/** A timer that was armed; cancelling it twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void
}

/**
 * How much later a timer may run without that anything is missed: milliseconds behind its time, or a function that is asked
 * whenever time is about to leap, for how long from then on it need not run.
 */
export type Slack = number | (() => number)

/** Nobody waits for it, be it hours late. */
export const anySlack: Slack = Number.POSITIVE_INFINITY

/** Time as it is passed in: the only source of "now" and of delays outside `runtime`. */
export interface Clock {
  /** Wall clock, integer milliseconds since the epoch; may step either way. */
  now(): number
  /** Milliseconds with a fraction, from an arbitrary start; never steps back. For durations. */
  monotonic(): number
  /**
   * Runs once after `ms`; any length is safe (Node's own timers fire at once above 2^31-1 ms). `slack` is for a clock that
   * leaps from one thing to the next; those of machines make no use of it.
   */
  after(ms: number, run: () => void, slack?: Slack): Timer
  /** Time leaps over hours at once: that somebody was silent meanwhile says nothing. Default false. */
  readonly leaps?: boolean
}

/**
 * Runs `run` again and again, `ms` after the former round has ended, so that rounds cannot overlap. A function is asked for
 * the time before each round. Rounds are for what nobody waits for: a clock that leaps leaves most of them out, unless
 * `slack` says otherwise.
 */
export function every(
  clock: Pick<Clock, 'after'>,
  ms: number | (() => number),
  run: () => void | Promise<void>,
  slack: Slack = anySlack,
): Timer {
  let stopped = false
  let timer: Timer | undefined
  const arm = () => {
    timer = clock.after(typeof ms === 'number' ? ms : ms(), round, slack)
  }
  const round = () => {
    const done = run()
    if (done === undefined) {
      if (!stopped) arm()
      return
    }
    done.finally(() => {
      if (!stopped) arm()
    })
  }
  arm()
  return {
    cancel: () => {
      stopped = true
      timer?.cancel()
    },
  }
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export function delay(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
