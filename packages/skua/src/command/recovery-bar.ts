import type { EventHub } from '@skua-mq/runtime'
import { recoveryEnded, recoveryProgress } from '@skua-mq/store'
import { ProgressBar } from './progress-bar.ts'

/** Shows on a terminal how far a start has come that reads a long log. */
export function showRecovery(
  events: EventHub,
  now: () => number,
  begin: () => Pick<ProgressBar, 'update' | 'end'> = () => new ProgressBar('recovery', now),
): EventHub {
  let bar: ReturnType<typeof begin> | undefined
  events.subscribe(event => {
    if (event.name === recoveryProgress.eventName) {
      const { offset, from, to } = event.fields as { offset: number; from: number; to: number }
      bar ??= begin()
      bar.update(offset - from, to - from)
    } else if (event.name === recoveryEnded.eventName) {
      bar?.end()
      bar = undefined
    }
  })
  return events
}
