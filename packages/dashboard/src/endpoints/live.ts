import { type FoundMessage, masterNamed, pullMessages, sendMessage, topicRoute, topicStats } from '@skua-mq/admin'
import { PropertyName } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import type { Cluster } from '../cluster.ts'
import { endpoint, streamEndpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import { brokerName, count, messageRow, messageRowOf, told, topicName } from '../rows.ts'
import { bool, int, list, oneOf, optional, record, shape, text } from '../schema.ts'

/** How often the ends of the queues are looked at. */
const lookMs = 500
/** Messages of one event. */
const maxBatch = 200

const filter = {
  tags: optional(text({ max: 1_000, help: 'tags: A || B' })),
  sql: optional(text({ max: 4_000, help: 'an SQL92 filter; brokers take it with enablePropertyFilter' })),
}

/** What comes into a topic, as it comes. */
export const tail = streamEndpoint({
  name: 'tail',
  method: 'GET',
  role: 'view',
  help: 'Messages of a topic as they come, at most so many a second; what is above is counted and left out. Nothing is committed.',
  params: { topic: topicName, ...filter, rate: optional(int({ min: 1, max: maxBatch, help: 'a second; default 50' })) },
  event: shape({ rows: list(messageRow, { max: maxBatch }), skipped: count }),
  stream: async function* ({ cluster, signal }, { topic, tags, sql, rate = 50 }) {
    if (tags !== undefined && sql !== undefined) throw new Problem(400, 'ARGUMENT', 'give tags or sql, not both')
    const { clock } = cluster.session.runtime
    const places = new Map((await topicStats(cluster.session, topic)).map(one => [keyOf(one), one.maxOffset]))
    const perLook = Math.max(1, Math.floor((rate * lookMs) / 1000))
    yield { rows: [], skipped: 0 }
    while (!signal.aborted) {
      await delay(clock, lookMs)
      if (signal.aborted) return
      const { messages, skipped } = await newOnes(cluster, { topic, places, tags, sql, most: perLook })
      if (messages.length > 0 || skipped > 0) yield { rows: messages.map(messageRowOf), skipped }
    }
  },
})

const keyOf = (queue: { brokerName: string; queueId: number }): string => `${queue.brokerName}/${queue.queueId}`

interface Look {
  readonly topic: string
  /** The next offset of each queue; is moved on. */
  readonly places: Map<string, number>
  readonly tags: string | undefined
  readonly sql: string | undefined
  readonly most: number
}

/** Only queues that have grown are read. What is more than the rate takes is passed by: the newest are shown. */
async function newOnes(cluster: Cluster, { topic, places, tags, sql, most }: Look) {
  const grown = (await topicStats(cluster.session, topic)).filter(one => one.maxOffset > (places.get(keyOf(one)) ?? 0))
  const found: FoundMessage[] = []
  let skipped = 0
  for (const queue of grown) {
    const { address } = await cluster.share(`master ${queue.brokerName}`, 5_000, at =>
      masterNamed(at, queue.brokerName),
    )
    const from = Math.max(queue.minOffset, places.get(keyOf(queue)) ?? queue.minOffset)
    const begin = Math.max(from, queue.maxOffset - most)
    skipped += begin - from
    let offset = begin
    while (offset < queue.maxOffset) {
      const range = { tags, sql }
      const pulled = await pullMessages(cluster.session, { address, queue, offset, range })
      found.push(...pulled.messages.filter(({ queueOffset }) => queueOffset < queue.maxOffset))
      if (pulled.nextBeginOffset <= offset) break
      offset = pulled.nextBeginOffset
    }
    places.set(keyOf(queue), queue.maxOffset)
  }
  const sorted = found.sort((a, b) => a.storedAtMs - b.storedAtMs)
  const kept = sorted.slice(-most)
  return { messages: kept, skipped: skipped + sorted.length - kept.length }
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
