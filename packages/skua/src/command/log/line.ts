import { inspect } from 'node:util'
import type { Event } from '@skua-mq/runtime'

/** `broker`: whose line it is, where several write into one place. */
export type Line = (event: Event, atMs: number, broker?: string) => string

/** `2026-11-29T10:00:00.000Z INFO topic created: topic=Orders queues=4`; of a family: `INFO [broker-a-1] topic created`. */
export const textLine: Line = ({ level, name, fields }, atMs, broker) => {
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${textOf(value)}`)
  const whose = broker === undefined ? '' : `[${broker}] `
  return `${timeOf(atMs)} ${level.toUpperCase()} ${whose}${name}${rest.length === 0 ? '' : `: ${rest.join(' ')}`}`
}

/** One JSON object; the fields of the event stand in `fields`, so that none takes the place of time, level and event. */
export const jsonLine: Line = ({ level, name, fields }, atMs, broker) => {
  const plain = Object.entries(fields).map(([key, value]) => [key, plainOf(value)])
  return JSON.stringify({ time: timeOf(atMs), level, broker, event: name, fields: Object.fromEntries(plain) })
}

const timeOf = (atMs: number): string => new Date(atMs).toISOString()

/** One line, whatever a peer has put into a name: a line break in it would be a line of its own choice. */
function textOf(value: unknown): string {
  if (typeof value === 'object') return inspect(value, { breakLength: Number.POSITIVE_INFINITY })
  return String(value).replaceAll(/\p{Cc}/gu, control => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function plainOf(value: unknown): unknown {
  if (value instanceof Error) return String(value)
  return typeof value === 'bigint' ? String(value) : value
}
