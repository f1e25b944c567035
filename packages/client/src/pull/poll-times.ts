import type { ClientOptions } from '../options.ts'

const dayMs = 24 * 3_600_000
const graceMs = 15_000

interface PollOptions extends Pick<ClientOptions, 'runtime'> {
  readonly brokerSuspendMaxTimeMillis?: number | undefined
  readonly consumerTimeoutMillisWhenSuspend?: number | undefined
}

/**
 * How long a broker holds a pull of a consumer that pulls by itself, and how long its answer is waited for. Where time leaps
 * from one thing that is due to the next, as in tests, ends of waits would be most of what there is to do.
 */
export function pollTimes(options: PollOptions, defaultMs: number): { suspendMs: number; pullTimeoutMs: number } {
  const leaps = options.runtime?.clock.leaps === true
  return {
    suspendMs: options.brokerSuspendMaxTimeMillis ?? (leaps ? dayMs : defaultMs),
    pullTimeoutMs: options.consumerTimeoutMillisWhenSuspend ?? (leaps ? dayMs + graceMs : 30_000),
  }
}
