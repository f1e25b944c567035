import type { ResetTarget } from '@skua-mq/admin'
import { timeOf } from '../mqadmin/frame/flag.ts'

/** From here on a number is a time: ms since 1970 of 2001 and later. */
const firstTime = 1_000_000_000_000

/** `earliest`, `latest`, an offset, ms since 1970, or a local time. Throws InvalidArgumentError. */
export function targetOf(given: string): ResetTarget {
  const word = given.trim().toLowerCase()
  if (word === 'earliest') return { end: 'min' }
  if (word === 'latest') return { end: 'max' }
  if (/^\d+$/.test(word) && Number(word) < firstTime) return { offset: Number(word) }
  return { timestampMs: timeOf(given.trim()) }
}
