import type { CheckPoints } from './check-points.ts'
import { retryTopicOf } from './retry-copy.ts'
import type { RetryTopics } from './retry-topics.ts'

/** A message that a group has popped and not acknowledged: it comes again unless that happens in time. */
export interface OpenPop {
  readonly group: string
  /** Where it lies: a topic, or the group's retry topic of it. */
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
  /** When it is visible again; milliseconds since 1970. A consumer that prolongs it, or gives it back with a delay, changes that. */
  readonly visibleAtMs: number
  /** Where it goes then. */
  readonly retryTopic: string
}

/** Messages that are popped and not acknowledged, in the order of their check points, at most `limit`. What is popped in order is not among them. */
export function openPops(
  points: Pick<CheckPoints, 'all'>,
  { retries, limit }: { retries: Pick<RetryTopics, 'of'>; limit: number },
): OpenPop[] {
  const open: OpenPop[] = []
  for (const point of points.all()) {
    const { group, topic, queueId, reviveAtMs: visibleAtMs } = point
    const retryTopic = retryTopicOf(point, retries)
    for (const queueOffset of point.offsetsWithout(point.settled | point.pending)) {
      if (open.length >= limit) return open
      open.push({ group, topic, queueId, queueOffset, visibleAtMs, retryTopic })
    }
  }
  return open
}
