import type { Places, Reading } from './reading.ts'

/** A topic, and what came in a second. */
export interface TopicRate {
  readonly topic: string
  readonly messages: number
  readonly inPerSecond: number
}

/** A group, and what it consumed in a second. */
export interface GroupRate {
  readonly group: string
  readonly members: number
  readonly lag: number
  readonly consumedPerSecond: number
  /** Messages a second by which the lag grows; below 0 it shrinks. */
  readonly lagPerSecond: number
}

/** What happened between two readings, the busiest first. */
export function ratesOf(before: Reading, after: Reading): { topics: TopicRate[]; groups: GroupRate[] } {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000)
  const per = (count: number): number => Math.round((count * 10) / seconds) / 10
  const topics = [...after.topics].map(([topic, { ends, messages }]) => {
    return { topic, messages, inPerSecond: per(progress(before.topics.get(topic)?.ends, ends)) }
  })
  const groups = [...after.groups].map(([group, { places, lag, members }]) => {
    const old = before.groups.get(group)
    const consumedPerSecond = per(progress(old?.places, places))
    return { group, members, lag, consumedPerSecond, lagPerSecond: per(lag - (old?.lag ?? lag)) }
  })
  return {
    topics: topics.sort((a, b) => b.inPerSecond - a.inPerSecond || b.messages - a.messages),
    groups: groups.sort((a, b) => b.consumedPerSecond - a.consumedPerSecond || b.lag - a.lag),
  }
}

/** A queue that is new, or that went back, tells nothing of a rate. */
function progress(before: Places | undefined, after: Places): number {
  let sum = 0
  for (const [queue, place] of after) sum += Math.max(0, place - (before?.get(queue) ?? place))
  return sum
}
