import type { Feature } from '../house/feature.ts'
import type { TimerEntry } from '../timer/feature.ts'
import { timerStep } from '../timer/timer-step.ts'

/** The step of a send behind those that go before a time of delivery: retries, transactions, delay levels. */
export const timedSends: Feature<{ timerEntry: TimerEntry }> = {
  name: 'timed sends',
  make: ({ timerEntry: { rules, ensureTopic } }) => ({ steps: [timerStep(rules, ensureTopic)] }),
}
