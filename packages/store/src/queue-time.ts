import type { ConsumeQueue } from './consume-queue/consume-queue.ts'
import { firstMessage } from './consume-queue/min-offset.ts'

/**
 * The offset of the message stored nearest to `atMs` (store.md 3.6): an exact match wins, else the nearer neighbour,
 * and before or behind all messages the first or the last one. 0 for an empty queue. Filled places are passed by.
 */
export async function offsetByTime(
  queue: ConsumeQueue,
  atMs: number,
  storedAt: (offset: number) => Promise<number>,
): Promise<number> {
  let low = queue.minOffset
  let high = queue.maxOffset - 1
  if (high < low) return 0
  let before = -1
  let beforeMs = 0
  let behind = -1
  let behindMs = 0
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const found = firstMessage(queue, middle, high + 1)
    if (found > high) {
      high = middle - 1
      continue
    }
    const ms = await storedAt(found)
    if (ms === atMs) return found
    if (ms < atMs) {
      before = found
      beforeMs = ms
      low = found + 1
    } else {
      behind = found
      behindMs = ms
      high = middle - 1
    }
  }
  if (before === -1) return Math.max(0, behind)
  if (behind === -1) return before
  return atMs - beforeMs > behindMs - atMs ? behind : before
}
