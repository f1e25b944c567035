import { AdminError } from '@skua-mq/admin'
import { timeOf } from '../mqadmin/frame/flag.ts'

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time as people write it: `now`, `+30m` or `90s` from now, a day with its time, or milliseconds since 1970. Errors: ARGUMENT. */
export function whenOf(text: string, nowMs: number): number {
  if (text === 'now') return nowMs
  const parts = [...text.matchAll(/(\d+)([smhd])/g)]
  const isSpan = /^\+?(\d+[smhd])+$/.test(text)
  if (isSpan) return parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit!]!, nowMs)
  try {
    return timeOf(text)
  } catch {
    const forms = 'now, +30m (s, m, h, d from now), 2026-01-31T12:00 (local), or milliseconds since 1970'
    throw new AdminError('ARGUMENT', `"${text}" is not a time: ${forms}`)
  }
}
