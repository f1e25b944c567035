import { readQueues } from '@skua-mq/admin'
import { fileEndpoint } from '../endpoint.ts'
import { queuePieces } from '../pull.ts'
import { count, messageDetail, ms, told, topicName, wholeMessageOf } from '../rows.ts'
import { int, oneOf, optional, orNull, shape } from '../schema.ts'

/** How a file ended: all of the range is in it, as many as were asked for, or it broke off. */
const end = shape({
  end: shape({
    reason: oneOf('all', 'limit', 'problem'),
    /** Lines before this one. */
    messages: count,
    /** Messages that are not in the file: their compression is unknown here. */
    unreadable: count,
    problem: orNull(told),
  }),
})

/** For a file of JSON lines. */
export const messagesExport = fileEndpoint({
  name: 'messages/export',
  method: 'GET',
  role: 'view',
  help: 'Messages of a topic, whole, as a file of JSON lines: queue by queue, all that there were when it reached the queue, or those stored in a time range. The last line is {"end":…} and says whether it is all; a file without it was cut off.',
  params: {
    topic: topicName,
    beginMs: optional(ms),
    endMs: optional(ms),
    limit: optional(int({ min: 1, help: 'messages; default: all' })),
  },
  line: messageDetail,
  end,
  fileName: ({ topic }) => `${topic}.jsonl`,
  broken: (problem, messages) => ({ end: { reason: 'problem' as const, messages, unreadable: 0, problem } }),
  lines: async function* ({ cluster, signal }, { topic, limit = Number.POSITIVE_INFINITY, ...range }) {
    let messages = 0
    let unreadable = 0
    const ended = (reason: 'all' | 'limit' | 'problem') => ({ end: { reason, messages, unreadable, problem: null } })
    for (const queue of await readQueues(cluster.session, topic))
      for await (const piece of queuePieces(cluster, { queue, range, signal }, wholeMessageOf)) {
        unreadable += piece.unreadable
        for (const message of piece.items) {
          if (messages >= limit) return ended('limit')
          messages++
          yield message
        }
      }
    return ended('all')
  },
})
