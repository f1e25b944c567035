import { isAscii } from 'node:buffer'
import {
  AdminError,
  consumeDirectly,
  each,
  explainMessage,
  type FoundMessage,
  messageCopies,
  messagesByKey,
  messageTrace,
  messageTracks,
  offsetAt,
  readQueues,
  topicGroups,
  topicRoute,
} from '@skua-mq/admin'
import { browse, endOf, type From } from '../browse.ts'
import type { Cluster } from '../cluster.ts'
import { endpoint, streamEndpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import { queuePieces } from '../pull.ts'
import {
  brokerName,
  clientIdText,
  count,
  cutTo,
  groupName,
  limited,
  type MessageRow,
  messageDetail,
  messageDetailOf,
  messageId,
  messageRow,
  messageRowOf,
  ms,
  optionalTopic,
  told,
  topicName,
} from '../rows.ts'
import { bool, int, list, oneOf, optional, orNull, record, shape, text, type ValueOf } from '../schema.ts'

/** Messages of a page. */
const maxPage = 200
/** Groups that are asked what they made of a message. */
const maxFates = 20
/** Queues of a cursor. */
const maxCursor = 20_000

/** By queue, newest first, from an offset or a time. */
export const messages = endpoint({
  name: 'messages',
  method: 'GET',
  role: 'view',
  help: 'Messages of a topic or one of its queues: newest first, oldest first, from an offset or a time; a page ends where 64 MiB were read for it. Nothing is committed.',
  params: {
    topic: topicName,
    broker: optional(brokerName),
    queueId: optional(int({ min: 0 })),
    from: oneOf('newest', 'oldest', 'offset', 'time'),
    offset: optional(int({ min: 0 })),
    timeMs: optional(ms),
    limit: optional(int({ min: 1, max: maxPage, help: 'default 50' })),
    cursor: optional(record(int({ min: 0 }), { max: maxCursor })),
  },
  timeMs: 30_000,
  answer: shape({ rows: list(messageRow, { max: maxPage }), cursor: record(int(), { max: maxCursor }), isEnd: bool() }),
  run: async ({ cluster }, params) => {
    const { topic, broker, queueId, limit = 50, cursor } = params
    const from = fromOf(params)
    const found = await browse(cluster, { topic, brokerName: broker, queueId, from, limit, cursor }, messageRowOf)
    return { rows: found.rows, ...endOf(found) }
  },
})

function fromOf({
  from,
  offset,
  timeMs,
}: {
  from: string
  offset?: number | undefined
  timeMs?: number | undefined
}): From {
  if (from === 'newest') return { at: 'newest' }
  if (from === 'oldest') return { at: 'oldest' }
  if (from === 'offset' && offset !== undefined) return { at: 'offset', offset }
  if (from === 'time' && timeMs !== undefined) return { at: 'time', timeMs }
  throw new Problem(400, 'ARGUMENT', `${from === 'time' ? 'timeMs' : 'offset'} is missing: where to begin`)
}

/** By key. */
export const messagesOfKey = endpoint({
  name: 'messages/key',
  method: 'GET',
  role: 'view',
  help: 'Messages of a topic that have this key, oldest first, however old they are.',
  params: { topic: topicName, key: text({ min: 1, max: 1_000 }), limit: optional(int({ min: 1, max: 1_000 })) },
  timeMs: 30_000,
  answer: limited(messageRow, 2_000),
  run: async ({ cluster }, { topic, key, limit = 64 }) =>
    cutTo((await messagesByKey(cluster.session, { topic, key, maxNum: limit })).map(messageRowOf), 2_000),
})

async function findOne(
  cluster: Cluster,
  { id, topic }: { readonly id: string; readonly topic?: string | undefined },
): Promise<{ readonly message: FoundMessage; readonly copies: readonly FoundMessage[] }> {
  const [message, ...copies] = await messageCopies(cluster.session, id, topic)
  if (message !== undefined) return { message, copies }
  const where = topic === undefined ? 'in no topic' : `not in topic ${topic}`
  throw new AdminError('NOT_FOUND', `message ${id} is ${where}: it may be deleted by now, or never arrived`)
}

/** One message, whole. */
export const message = endpoint({
  name: 'message',
  method: 'GET',
  role: 'view',
  help: 'A message by its unique id or offset id, and its copies among retries and dead letters. Without a topic all are asked.',
  params: { id: messageId, topic: optionalTopic },
  timeMs: 60_000,
  answer: shape({ message: messageDetail, copies: list(messageRow, { max: 1_000 }) }),
  run: async ({ cluster }, params) => {
    const { message: found, copies } = await findOne(cluster, params)
    return { message: messageDetailOf(found), copies: copies.slice(0, 1_000).map(messageRowOf) }
  },
})

const fate = shape({ group: told, state: told, sentence: told })

/** What each group made of it. */
export const messageFates = endpoint({
  name: 'message/fates',
  method: 'GET',
  role: 'view',
  help: 'For each group of the topic, or for one: whether the message was consumed, waits, was filtered, retried or given up, and why.',
  params: { id: messageId, topic: topicName, group: optional(groupName) },
  timeMs: 60_000,
  answer: limited(fate, maxFates),
  run: async ({ cluster }, { id, topic, group }) => {
    const { session } = cluster
    const { message: found } = await findOne(cluster, { id, topic })
    const groups = group === undefined ? await topicGroups(session, topic) : [group]
    const asked = groups.slice(0, maxFates)
    const rows = await each(asked, async (name): Promise<ValueOf<typeof fate>> => {
      try {
        const { state, sentence } = await explainMessage(session, { id: found.msgId, group: name, topic })
        return { group: name, state, sentence }
      } catch (error) {
        if (!(error instanceof AdminError)) throw error
        return { group: name, state: 'UNKNOWN', sentence: error.message }
      }
    })
    return { ...cutTo(rows, maxFates), total: groups.length }
  },
})

/** The fates of 4.x consoles, by where groups stand. */
export const messageStates = endpoint({
  name: 'message/tracks',
  method: 'GET',
  role: 'view',
  help: 'What groups of the topic made of a message, by where they stand in its queue, as rocketmq-dashboard tells it.',
  params: { id: messageId, topic: topicName },
  timeMs: 30_000,
  answer: limited(shape({ group: told, state: told, problem: orNull(told) }), 10_000),
  run: async ({ cluster }, params) => {
    const { message: found } = await findOne(cluster, params)
    const tracks = await messageTracks(cluster.session, found)
    return cutTo(
      tracks.map(({ group, state, problem }) => ({ group, state, problem: problem ?? null })),
      10_000,
    )
  },
})

/** Its way, as clients tell it. */
export const messageTraceSteps = endpoint({
  name: 'message/trace',
  method: 'GET',
  role: 'view',
  help: 'Steps of a message as clients with tracing told them, oldest first.',
  params: { id: messageId, traceTopic: optionalTopic },
  answer: limited(shape({ type: told, group: told, clientHost: told, atMs: ms, costMs: int(), status: told }), 1_000),
  run: async ({ cluster }, { id, traceTopic }) => {
    try {
      return cutTo(await messageTrace(cluster.session, { msgId: id, topic: traceTopic }), 1_000)
    } catch (error) {
      if (error instanceof AdminError && error.code === 'NOT_FOUND')
        return cutTo([], 1_000, ['no client of this cluster traces: there is no trace topic'])
      throw error
    }
  },
})

/** Has one member consume it now. */
export const messageConsume = endpoint({
  name: 'message/consume',
  method: 'POST',
  role: 'admin',
  help: 'Has a member consume one stored message now, and says what came of it.',
  params: { group: groupName, clientId: clientIdText, offsetMsgId: messageId, topic: topicName },
  timeMs: 30_000,
  answer: shape({ result: told, remark: orNull(told), spentMs: int() }),
  run: async ({ cluster }, { group, clientId, offsetMsgId, topic }) => {
    const done = await consumeDirectly(cluster.session, { group, clientId }, { offsetMsgId, topic })
    return {
      result: done?.consumeResult ?? 'UNKNOWN',
      remark: done?.remark ?? null,
      spentMs: done?.spentTimeMills ?? 0,
    }
  },
})

/** How often a search tells how far it is, in messages and in bytes. */
const tellEvery = 500
const tellEveryBytes = 16 * 1024 * 1024
/** What one search finds at most. */
const maxFound = 1_000

/** Text in a time range. */
export const messagesScan = streamEndpoint({
  name: 'messages/scan',
  method: 'GET',
  role: 'view',
  help: 'Reads a topic in a time range and finds messages with a text in body, keys, tag or properties. Tells how far it is; ends when it is left.',
  params: {
    topic: topicName,
    text: text({ min: 1, max: 1_000 }),
    beginMs: optional(ms),
    endMs: optional(ms),
    limit: optional(int({ min: 1, max: maxFound, help: 'default 100' })),
  },
  event: shape({ scanned: count, total: count, found: list(messageRow, { max: maxFound }) }),
  stream: async function* ({ cluster, signal }, params) {
    const { topic, text: wanted, limit = 100, ...range } = params
    const needle = wanted.toLowerCase()
    const total = await totalOf(cluster, topic, range)
    const take = (one: FoundMessage) => (holds(one, needle) ? messageRowOf(one) : undefined)
    let scanned = 0
    let left = limit
    let untold = { messages: 0, bytes: 0, found: [] as MessageRow[] }
    for (const queue of await readQueues(cluster.session, topic))
      for await (const piece of queuePieces(cluster, { queue, range, signal }, take)) {
        const found = piece.items.slice(0, left)
        scanned += piece.messages
        left -= found.length
        untold = {
          messages: untold.messages + piece.messages,
          bytes: untold.bytes + piece.bytes,
          found: [...untold.found, ...found],
        }
        if (left > 0 && untold.messages < tellEvery && untold.bytes < tellEveryBytes) continue
        yield { scanned, total: Math.max(total, scanned), found: untold.found }
        untold = { messages: 0, bytes: 0, found: [] }
        if (left <= 0) return
      }
    if (!signal.aborted) yield { scanned, total: scanned, found: untold.found }
  },
})

function holds({ body, keys, tags, msgId, properties }: FoundMessage, needle: string): boolean {
  const words = [msgId, tags ?? '', ...keys, ...Object.values(properties)]
  return words.some(value => value.toLowerCase().includes(needle)) || bodyHolds(body, needle)
}

/** What is made a text at once, bytes: one of a whole body would be three times as large as the body. */
const windowBytes = 64 * 1024

/** Whether a body has a text, whatever its case. Given in lower case. */
export function bodyHolds(body: Buffer, needle: string): boolean {
  // A unit of a text has at most three bytes, and one more may be cut at either end.
  const overlap = 3 * needle.length + 8
  // Bytes of ASCII stand for themselves in both; of what is no text a decoder of UTF-8 makes 35 MB a second, Latin-1 twenty times as many.
  const encoding = isAscii(Buffer.from(needle)) ? 'latin1' : 'utf8'
  for (let at = 0; at < body.length; at += windowBytes)
    if (
      body
        .toString(encoding, at, at + windowBytes + overlap)
        .toLowerCase()
        .includes(needle)
    )
      return true
  return false
}

/** How many messages lie in the range, so that progress means something. */
async function totalOf(
  { session }: Cluster,
  topic: string,
  { beginMs = 0, endMs }: { beginMs?: number | undefined; endMs?: number | undefined },
): Promise<number> {
  const { queues, brokers } = await topicRoute(session, topic)
  const places = queues.flatMap(({ brokerName: name, readQueueNums }) => {
    const address = brokers.find(one => one.brokerName === name)?.addresses[0]?.address
    return address === undefined
      ? []
      : Array.from({ length: readQueueNums }, (_, queueId) => ({ address, topic, queueId }))
  })
  const counts = await each(places, async place => {
    const end = await offsetAt(session, place, endMs === undefined ? -1 : endMs + 1)
    return Math.max(0, end - (await offsetAt(session, place, beginMs)))
  })
  return counts.reduce((a, b) => a + b, 0)
}
