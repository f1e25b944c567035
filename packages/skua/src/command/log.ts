import { channel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { type Event, EventHub } from '@skua-mq/runtime'

const levels = { debug: 0, info: 1, warn: 2, error: 3 } as const

/**
 * Events as lines on standard error, and on the process-wide diagnostics channel `skua` with the server's name. A
 * logger of a library would cost a tenth of the start budget for what is one line of code here.
 */
export function logEvents(server: string, least: keyof typeof levels = 'info'): EventHub {
  const events = new EventHub()
  const published = channel('skua')
  events.subscribe(event => {
    if (published.hasSubscribers) published.publish({ server, ...event })
    if (levels[event.level] >= levels[least]) process.stderr.write(`${line(event)}\n`)
  })
  return events
}

function line({ level, name, fields }: Event): string {
  const rest = Object.entries(fields).map(
    ([key, value]) =>
      `${key}=${typeof value === 'object' ? inspect(value, { breakLength: Number.POSITIVE_INFINITY }) : value}`,
  )
  return `${level === 'info' ? '' : `${level.toUpperCase()} `}${name}${rest.length === 0 ? '' : `: ${rest.join(' ')}`}`
}
