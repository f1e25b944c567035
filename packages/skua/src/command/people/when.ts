import { AdminError } from '@skua-mq/admin'
import { milliseconds } from '@skua-mq/runtime'
import { timeOf } from '../mqadmin/frame/flag.ts'

/** A time as people write it: `now`, `+30m` or `90s` from now, a day with its time, or milliseconds since 1970. Errors: ARGUMENT. */
export function whenOf(text: string, nowMs: number): number {
  if (text === 'now') return nowMs
  if (/^\+?(\d+[smhd])+$/.test(text)) return nowMs + milliseconds(text.replace('+', ''))
  try {
    return timeOf(text)
  } catch {
    const forms = 'now, +30m (s, m, h, d from now), 2026-01-31T12:00 (local), or milliseconds since 1970'
    throw new AdminError('ARGUMENT', `"${text}" is not a time: ${forms}`)
  }
}
