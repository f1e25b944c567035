import {
  AdminError,
  type DeadLetter,
  deadLetters,
  each,
  heldBy,
  isNamedLetter,
  letterProperties,
  messageById,
  messagesByKey,
  originTopicOf,
  readQueues,
  resendLetter,
  topicStats,
} from '@skua-mq/admin'
import { deadLetterPrefix, PropertyName } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { browse, endOf } from '../browse.ts'
import type { Cluster } from '../cluster.ts'
import { endpoint, streamEndpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import {
  count,
  cutTo,
  figure,
  groupName,
  limited,
  messageDetail,
  messageDetailOf,
  messageId,
  messageRow,
  messageRowOf,
  told,
} from '../rows.ts'
import { bool, int, list, oneOf, optional, orNull, record, shape, text } from '../schema.ts'

const maxGroups = 5_000
const maxPage = 200
/** Ids of one resend; all of a group have no such bound. */
const maxIds = 1_000

/** Groups that gave something up. */
export const deadGroups = endpoint({
  name: 'dead',
  method: 'GET',
  role: 'view',
  help: 'Groups with dead letters, and how many each has.',
  params: {},
  timeMs: 30_000,
  answer: limited(shape({ group: told, letters: figure, lastMs: figure }), maxGroups),
  run: ({ cluster }) =>
    cluster.share('dead', 3_000, async session => {
      const topics = (await cluster.topics()).filter(topic => topic.startsWith(deadLetterPrefix))
      const rows = await each(topics.slice(0, maxGroups), async topic => {
        const group = topic.slice(deadLetterPrefix.length)
        try {
          const { messages, lastUpdateMs } = heldBy(await topicStats(session, topic))
          return { group, letters: messages, lastMs: lastUpdateMs }
        } catch (error) {
          if (!(error instanceof AdminError)) throw error
          return { group, letters: null, lastMs: null }
        }
      })
      return cutTo(
        rows.sort((a, b) => (b.lastMs ?? 0) - (a.lastMs ?? 0)),
        maxGroups,
      )
    }),
})

const originTopic = orNull(told)
const letterRow = shape({ row: messageRow, originTopic, originId: orNull(told) })

/** Newest first. */
export const deadList = endpoint({
  name: 'dead/letters',
  method: 'GET',
  role: 'view',
  help: 'Dead letters of a group, newest first.',
  params: {
    group: groupName,
    limit: optional(int({ min: 1, max: maxPage })),
    cursor: optional(record(int({ min: 0 }), { max: 20_000 })),
  },
  answer: shape({ rows: list(letterRow, { max: maxPage }), cursor: record(int(), { max: 20_000 }), isEnd: bool() }),
  run: async ({ cluster }, { group, limit = 50, cursor }) => {
    const topic = deadLetterPrefix + group
    if (!(await cluster.topics()).includes(topic)) return { rows: [], cursor: {}, isEnd: true }
    await mustBeReadable(cluster, topic)
    const found = await browse(cluster, { topic, from: { at: 'newest' }, limit, cursor }, message => ({
      ...{ queueOffset: message.queueOffset, storedAtMs: message.storedAtMs },
      letter: {
        row: messageRowOf(message),
        originTopic: originTopicOf(message),
        originId: message.properties[PropertyName.originMessageId] ?? null,
      },
    }))
    return { rows: found.rows.map(({ letter }) => letter), ...endOf(found) }
  },
})

/** Apache's brokers make these topics so that they can only be written. */
async function mustBeReadable(cluster: Cluster, topic: string): Promise<void> {
  if ((await readQueues(cluster.session, topic)).length > 0) return
  throw new Problem(409, 'NOT_READABLE', `${topic} may not be read: give the topic the permission to be read (6)`)
}

/** One of them. By offset id or unique id it is looked up, by the id of its origin it is searched. Errors: NOT_FOUND. */
async function letterOf({ session }: Cluster, group: string, id: string): Promise<DeadLetter> {
  const topic = deadLetterPrefix + group
  const placed = await messageById(session, id).catch((error: unknown) => {
    if (error instanceof AdminError) return undefined
    throw error
  })
  const named =
    placed?.topic === topic ? placed : (await messagesByKey(session, { topic, key: id, uniqueKey: true }))[0]
  if (named !== undefined) return { ...named, originTopic: originTopicOf(named) }
  for await (const letter of deadLetters(session, group)) if (isNamedLetter(letter, id)) return letter
  throw new AdminError('NOT_FOUND', `group ${group} has no dead letter ${id}: it may be deleted by now`)
}

/** Whole, with what may be changed. */
export const deadLetter = endpoint({
  name: 'dead/letter',
  method: 'GET',
  role: 'view',
  help: 'A dead letter, and the properties that may be changed before it is sent again.',
  params: { group: groupName, id: messageId },
  timeMs: 30_000,
  answer: shape({ message: messageDetail, originTopic, editable: record(told, { max: 10_000 }) }),
  run: async ({ cluster }, { group, id }) => {
    const letter = await letterOf(cluster, group, id)
    return {
      message: messageDetailOf(letter),
      originTopic: letter.originTopic,
      editable: letterProperties(letter),
    }
  },
})

const resent = shape({
  ...{ done: count, total: count, id: told, topic: orNull(told), status: told },
  ...{ newId: orNull(told), problem: orNull(told) },
})

/** Sends them again, one after another. */
export const deadResend = streamEndpoint({
  name: 'dead/resend',
  method: 'POST',
  role: 'admin',
  help: 'Sends dead letters to their first topic: some by their ids, or all of a group; an event for each. One may be changed before.',
  params: {
    group: groupName,
    ids: optional(list(messageId, { max: maxIds })),
    all: optional(oneOf('yes')),
    rate: optional(int({ min: 1, max: 10_000, help: 'messages a second; default 100' })),
    body: optional(text({ max: 5_000_000 })),
    bodyEncoding: optional(oneOf('text', 'base64')),
    properties: optional(record(text({ max: 100_000 }), { max: 1_000 })),
  },
  event: resent,
  stream: async function* ({ cluster, signal }, given) {
    const { group, ids = [], all, rate = 100, body, bodyEncoding = 'text', properties } = given
    if ((ids.length === 0) === (all === undefined))
      throw new Problem(400, 'ARGUMENT', 'name the dead letters by ids, or give all: "yes" for every one of the group')
    const isChanged = body !== undefined || properties !== undefined
    if (isChanged && ids.length !== 1)
      throw new Problem(400, 'ARGUMENT', 'body and properties change one message: name one dead letter by its id')
    const changes = {
      ...(body === undefined ? {} : { body: Buffer.from(body, bodyEncoding === 'text' ? 'utf8' : 'base64') }),
      ...(properties === undefined ? {} : { properties }),
    }
    const total = all === undefined ? ids.length : await countOf(cluster, group)
    let done = 0
    for await (const letter of all === undefined ? named(cluster, group, ids) : deadLetters(cluster.session, group)) {
      if (signal.aborted) return
      done++
      if ('problem' in letter) {
        yield { done, total, topic: null, status: 'NOT_FOUND', newId: null, ...letter }
        continue
      }
      const { id, topic, status, newId, problem } = await resendLetter(cluster.session, letter, { changes })
      yield { done, total: Math.max(total, done), id, topic, status, newId: newId ?? null, problem: problem ?? null }
      await delay(cluster.session.runtime.clock, 1000 / rate)
    }
  },
})

async function countOf({ session }: Cluster, group: string): Promise<number> {
  return heldBy(await topicStats(session, deadLetterPrefix + group)).messages
}

/** Each is looked up by itself, so that the age of a letter does not matter. */
async function* named(cluster: Cluster, group: string, ids: readonly string[]) {
  for (const id of ids) {
    try {
      yield await letterOf(cluster, group, id)
    } catch (error) {
      if (!(error instanceof AdminError)) throw error
      yield { id, problem: error.message }
    }
  }
}
