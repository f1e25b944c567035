import type { PendingTransaction } from '@skua-mq/protocol'
import { deadLetterPrefix, halfTopic, PropertyName, popOriginOf, retryPrefix } from '@skua-mq/protocol'
import type { Seen } from './expect.ts'
import type { Delivery } from './ledger.ts'
import type { TestMessage } from './messages.ts'
import type { ScheduledMessage } from './scheduled.ts'

/** A message as expectations see it. */
export const seenOf = (
  { msgId, topic, body, tag, keys, properties }: TestMessage,
  { fate, place }: { fate: string; place?: string },
): Seen => ({ ...{ msgId, topic, body, tag, keys, properties, fate }, ...(place === undefined ? {} : { place }) })

/** One that a handler was called with. */
export function seenBy({ msgId, topic, body, properties: given, outcome }: Delivery): Seen {
  const properties = Object.fromEntries(given)
  const keys = (properties.KEYS ?? '').split(' ').filter(Boolean)
  return {
    msgId,
    topic,
    body,
    tag: properties.TAGS,
    keys,
    properties,
    fate: outcome === 'done' ? 'delivered' : outcome,
  }
}

/** What keeps messages from a group for now. */
export interface Waiting {
  readonly nowMs: number
  readonly scheduled: readonly ScheduledMessage[]
  readonly undecided: readonly PendingTransaction[]
  /** Half messages, among them the undecided ones. */
  readonly halves: readonly TestMessage[]
  /** Dead letters of the group. */
  readonly letters: readonly TestMessage[]
}

/** Where half messages lie. */
export const halvesLieIn = halfTopic

/** What a group has been shown, with a word about where each is now, and behind it what has not come to it at all. */
export function withWaiting(
  seen: readonly Seen[],
  { group, topic, waiting }: { group: string; topic: string | undefined; waiting: Waiting },
): Seen[] {
  const places = placesOf(group, waiting)
  const last = new Map(seen.map((one, at) => [one.msgId, at]))
  const known = seen.map((one, at) => {
    const place = last.get(one.msgId) === at && one.fate !== 'delivered' ? places.get(one.msgId) : undefined
    return place === undefined ? one : { ...one, place }
  })
  const others = [...delayed(waiting), ...undecided(waiting), ...retried(group, { waiting, places })]
  const isNew = (one: Seen) => !last.has(one.msgId) && (topic === undefined || one.topic === topic)
  return [...known, ...others.filter(isNew)]
}

/** Of messages that the group gave back, or took, or gave up: what comes next. */
function placesOf(group: string, { nowMs, scheduled, letters }: Waiting): Map<string, string> {
  const places = new Map<string, string>()
  for (const one of scheduled)
    if (one.group === group) places.set(one.message.msgId, `comes again ${when(one.dueAtMs, nowMs)}`)
  for (const { msgId, properties } of letters) {
    const place = `in ${deadLetterPrefix}${group}`
    places.set(properties[PropertyName.dlqOriginMessageId] ?? msgId, place)
    places.set(msgId, place)
  }
  return places
}

const delayed = ({ nowMs, scheduled }: Waiting): Seen[] =>
  scheduled
    .filter(({ isRetry }) => !isRetry)
    .map(({ message, topic, dueAtMs, by }) => {
      const place = `delayed ${by === 'level' ? 'by its level' : 'to a time'}, due ${when(dueAtMs, nowMs)}`
      return { ...seenOf(message, { fate: 'waits', place }), topic }
    })

const undecided = ({ nowMs, undecided: transactions, halves }: Waiting): Seen[] =>
  transactions.flatMap(({ halfOffset, topic, nextCheckAtMs }) => {
    const half = halves.find(({ queueOffset }) => queueOffset === halfOffset)
    if (half === undefined) return []
    const place = `half: its transaction is undecided, and asked about ${when(nextCheckAtMs, nowMs)}`
    return [{ ...seenOf(half, { fate: 'waits', place }), topic }]
  })

/** Of clients elsewhere, whose handlers nobody has seen. */
const retried = (
  group: string,
  { waiting, places }: { waiting: Waiting; places: ReadonlyMap<string, string> },
): Seen[] =>
  waiting.scheduled
    .filter(one => one.isRetry && one.group === group)
    .map(({ message }) => {
      const place = places.get(message.msgId)!
      return { ...seenOf(message, { fate: 'failed', place }), topic: firstTopicOf(message, group) }
    })

/** The topic that it was sent to. */
function firstTopicOf({ topic, properties }: TestMessage, group: string): string {
  const first = properties[PropertyName.retryTopic]
  if (first !== undefined) return first
  return topic.startsWith(retryPrefix) ? popOriginOf(topic, group) : topic
}

/** `at 2026-01-01T00:00:10.000Z, in 10 s`. */
const when = (atMs: number, nowMs: number): string =>
  `at ${new Date(atMs).toISOString()}, in ${Number((Math.max(0, atMs - nowMs) / 1000).toFixed(1))} s`
