import { masterNamed, PullPace, type QueueStats, sendMessage, topicRoute, topicStats } from '@skua-mq/admin'
import { PropertyName } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import type { Cluster } from '../cluster.ts'
import { endpoint, streamEndpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import { pullEach } from '../pull.ts'
import { brokerName, count, type MessageRow, messageRow, messageRowOf, told, topicName } from '../rows.ts'
import { bool, int, list, oneOf, optional, record, shape, text } from '../schema.ts'

/** How often the ends of the queues are looked at. */
const lookMs = 500
/** Messages of one event. */
const maxBatch = 200
/** Bytes of messages that are read in one look; of larger ones fewer are shown, and the others counted. */
export const maxLookBytes = 8 * 1024 * 1024

const filter = {
  tags: optional(text({ max: 1_000, help: 'tags: A || B' })),
  sql: optional(text({ max: 4_000, help: 'an SQL92 filter; brokers take it with enablePropertyFilter' })),
}

/** What comes into a topic, as it comes. */
export const tail = streamEndpoint({
  name: 'tail',
  method: 'GET',
  role: 'view',
  help: 'Messages of a topic as they come, at most so many a second, and 16 MiB; what is above is counted and left out. Nothing is committed.',
  params: { topic: topicName, ...filter, rate: optional(int({ min: 1, max: maxBatch, help: 'a second; default 50' })) },
  event: shape({ rows: list(messageRow, { max: maxBatch }), skipped: count }),
  stream: async function* ({ cluster, signal }, { topic, tags, sql, rate = 50 }) {
    if (tags !== undefined && sql !== undefined) throw new Problem(400, 'ARGUMENT', 'give tags or sql, not both')
    const { clock } = cluster.session.runtime
    const places = new Map<string, Place>(
      (await topicStats(cluster.session, topic)).map(one => [
        keyOf(one),
        { next: one.maxOffset, pace: new PullPace() },
      ]),
    )
    const perLook = Math.max(1, Math.floor((rate * lookMs) / 1000))
    yield { rows: [], skipped: 0 }
    while (!signal.aborted) {
      await delay(clock, lookMs)
      if (signal.aborted) return
      const { rows, skipped } = await newOnes(cluster, { topic, places, tags, sql, most: perLook, signal })
      if (rows.length > 0 || skipped > 0) yield { rows, skipped }
    }
  },
})

const keyOf = (queue: { brokerName: string; queueId: number }): string => `${queue.brokerName}/${queue.queueId}`

/** Where a queue is looked at next, and how large its messages are. */
interface Place {
  next: number
  readonly pace: PullPace
}

interface Look {
  readonly topic: string
  /** Of each queue; is moved on. */
  readonly places: Map<string, Place>
  readonly tags: string | undefined
  readonly sql: string | undefined
  readonly most: number
  readonly signal: AbortSignal
}

/** What one look has found so far. */
interface Seen {
  rows: MessageRow[]
  skipped: number
  bytes: number
}

/** Only queues that have grown are read. What is more than the rate takes, or too large, is passed by: the newest are shown. */
async function newOnes(cluster: Cluster, look: Look): Promise<Seen> {
  const { topic, places, most, signal } = look
  const seen: Seen = { rows: [], skipped: 0, bytes: 0 }
  for (const queue of await topicStats(cluster.session, topic)) {
    const place = places.get(keyOf(queue)) ?? { next: queue.minOffset, pace: new PullPace() }
    places.set(keyOf(queue), place)
    if (queue.maxOffset <= place.next) continue
    if (signal.aborted) break
    await lookAt(cluster, { look, seen, queue, place })
    const sorted = seen.rows.sort((a, b) => a.storedAtMs - b.storedAtMs)
    seen.rows = sorted.slice(-most)
    seen.skipped += sorted.length - seen.rows.length
  }
  return seen
}

async function lookAt(
  cluster: Cluster,
  { look, seen, queue, place }: { look: Look; seen: Seen; queue: QueueStats; place: Place },
): Promise<void> {
  const { pace } = place
  const { address } = await cluster.share(`master ${queue.brokerName}`, 5_000, at => masterNamed(at, queue.brokerName))
  const from = Math.max(queue.minOffset, place.next)
  place.next = queue.maxOffset
  const left = Math.floor((maxLookBytes - seen.bytes) / pace.messageBytes)
  // Of a queue with very large messages the newest one is shown all the same.
  const begin = Math.max(from, queue.maxOffset - Math.max(1, Math.min(look.most, left)))
  seen.skipped += begin - from
  let offset = begin
  while (offset < queue.maxOffset) {
    if (look.signal.aborted) return
    if (offset > begin && seen.bytes >= maxLookBytes) {
      seen.skipped += queue.maxOffset - offset
      return
    }
    const range = { tags: look.tags, sql: look.sql }
    const pulled = await pullEach(cluster, { address, queue, offset, range, pace }, message =>
      message.queueOffset < queue.maxOffset ? messageRowOf(message) : undefined,
    )
    seen.rows.push(...pulled.items)
    seen.bytes += pulled.bytes
    if (pulled.nextBeginOffset <= offset) return
    offset = pulled.nextBeginOffset
  }
}

/** A message to try with. */
export const send = endpoint({
  name: 'send',
  method: 'POST',
  role: 'admin',
  help: 'Sends a message: with properties, a delay, a key of its order.',
  params: {
    topic: topicName,
    body: text({ max: 5_000_000 }),
    bodyEncoding: optional(oneOf('text', 'base64')),
    tags: optional(text({ max: 1_000 })),
    keys: optional(text({ max: 4_000 })),
    properties: optional(record(text({ max: 32_000 }), { max: 200 })),
    delayLevel: optional(int({ min: 1, max: 100, help: 'one of messageDelayLevel' })),
    deliverAtMs: optional(int({ min: 0, help: 'a time of its own; brokers with the timer' })),
    orderKey: optional(text({ max: 1_000, help: 'messages of the same key go into the same queue' })),
    broker: optional(brokerName),
    queueId: optional(int({ min: 0, max: 65_535 })),
  },
  answer: shape({
    ...{ sendStatus: told, msgId: told, offsetMsgId: told, brokerName: told, queueId: int(), queueOffset: int() },
    isStoredSafely: bool(),
  }),
  run: async ({ cluster }, given) => {
    const { topic, body, bodyEncoding = 'text', tags, keys, delayLevel, deliverAtMs, orderKey } = given
    if (delayLevel !== undefined && deliverAtMs !== undefined)
      throw new Problem(400, 'ARGUMENT', 'give delayLevel or deliverAtMs, not both')
    mustBeProperties({
      ...given.properties,
      TAGS: tags ?? '',
      KEYS: keys ?? '',
      [PropertyName.shardingKey]: orderKey ?? '',
    })
    const properties = {
      ...given.properties,
      ...(delayLevel === undefined ? {} : { [PropertyName.delayTimeLevel]: String(delayLevel) }),
      ...(deliverAtMs === undefined ? {} : { [PropertyName.timerDeliverMs]: String(deliverAtMs) }),
      ...(orderKey === undefined ? {} : { [PropertyName.shardingKey]: orderKey }),
    }
    const place =
      orderKey === undefined
        ? { brokerName: given.broker, queueId: given.queueId }
        : await ordered(cluster, topic, orderKey)
    const bytes = Buffer.from(body, bodyEncoding === 'text' ? 'utf8' : 'base64')
    const sent = await sendMessage(cluster.session, { topic, body: bytes, tags, keys, properties, ...place })
    if (sent === undefined) throw new Problem(500, 'FAULT', 'nothing was sent')
    const { sendStatus, msgId, offsetMsgId, brokerName: name, queueId, queueOffset } = sent
    const isStoredSafely = sendStatus === 'SEND_OK'
    return { sendStatus, msgId, offsetMsgId, brokerName: name, queueId, queueOffset, isStoredSafely }
  },
})

/** What ends names and values on the wire. */
const ends = ['\u0001', '\u0002']

function mustBeProperties(properties: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(properties)) {
    if (name !== '' && !ends.some(end => name.includes(end) || value.includes(end))) continue
    throw new Problem(400, 'ARGUMENT', `the property "${name}" cannot be: it has a name, and no character 1 or 2`)
  }
}

/** As clients choose the queue of a key: by Java's hash of its text. */
async function ordered({ session }: Cluster, topic: string, key: string) {
  const { queues } = await topicRoute(session, topic)
  const all = queues
    .filter(({ perm }) => (perm & 2) !== 0)
    .flatMap(one =>
      Array.from({ length: one.writeQueueNums }, (_, queueId) => ({ brokerName: one.brokerName, queueId })),
    )
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (31 * hash + key.charCodeAt(i)) | 0
  const chosen = all[Math.abs(hash % all.length)]
  if (chosen === undefined) throw new Problem(409, 'NOT_WRITABLE', `topic ${topic} has no queue that may be written`)
  return chosen
}
