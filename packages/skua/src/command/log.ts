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
    if (levels[event.level] >= levels[least]) process.stderr.write(`${lineOf(event)}\n`)
  })
  return events
}

/** One line, whatever a peer has put into a name: a line break in it would be a line of its own choice. */
export function lineOf({ level, name, fields }: Pick<Event, 'level' | 'name' | 'fields'>): string {
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${textOf(value)}`)
  return `${level === 'info' ? '' : `${level.toUpperCase()} `}${name}${rest.length === 0 ? '' : `: ${rest.join(' ')}`}`
}

function textOf(value: unknown): string {
  if (typeof value === 'object') return inspect(value, { breakLength: Number.POSITIVE_INFINITY })
  return String(value).replaceAll(/\p{Cc}/gu, control => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
