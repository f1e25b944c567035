import { eventLevels } from './event.ts'
import { oneOf } from './option.ts'

/** The option of every server that says which of its events are logged. */
export const logLevel = oneOf(eventLevels, {
  default: 'info',
  live: true,
  help: 'events below it are not logged; of Skua’s own',
})
