import { bean, integer, jsonBody, list, maybe, string, type ValueOfShape } from '../bodies/shape.ts'
import { int, optional, text, withDefault } from '../field.ts'
import { defineRequest } from '../request.ts'

/*
 * Requests of our own. Their numbers lie where RocketMQ has none (below 4,000, and above 200,000) and the binary header
 * can still hold them (16 bits), so that none of them can
 * ever mean something else; RocketMQ's brokers answer them with code 3.
 */

const pendingTransaction = bean({
  producerGroup: string,
  topic: string,
  /** The unique id. */
  msgId: string,
  /** Queue offset in the half topic. */
  halfOffset: integer(),
  physicalOffset: integer(),
  /** Milliseconds since 1970. */
  bornAtMs: integer(),
  /** How often its producers were asked. */
  checks: integer(),
  /** When they are asked next, at the earliest; milliseconds since 1970. */
  nextCheckAtMs: integer(),
})

/** A transaction that nobody has decided yet. */
export type PendingTransaction = ValueOfShape<typeof pendingTransaction>

/** Undecided transactions, oldest first. */
export const getPendingTransactions = defineRequest({
  name: 'GET_PENDING_TRANSACTIONS',
  code: 30_001,
  header: {
    /** At most so many; default 1000. */
    limit: withDefault(int, 1000),
  },
  replyBody: jsonBody(bean({ transactions: list(pendingTransaction) })),
  direction: 'tools to broker',
  section: '12',
})

const offsetMove = bean({
  /** Milliseconds since 1970. */
  atMs: integer(),
  topic: string,
  queueId: integer(),
  /** Where the group stood; undefined where it had no offset. */
  from: maybe(integer()),
  /** Where it goes on; undefined where the offset was deleted. */
  to: maybe(integer()),
  /** A client id with its address, the address of a tool, or what the broker did by itself. */
  who: string,
  /** Name of the request that did it; undefined where none did. */
  request: maybe(string),
})

/** A change of an offset that is not the ordinary progress of a consumer. */
export type RecordedOffsetMove = ValueOfShape<typeof offsetMove>

/** Who moved offsets of a group, and where to; oldest first. */
export const getOffsetHistory = defineRequest({
  name: 'GET_OFFSET_HISTORY',
  code: 30_002,
  header: {
    consumerGroup: text,
    /** Default: all topics. */
    topic: optional(text),
    /** The last so many; default 1000. */
    limit: withDefault(int, 1000),
  },
  replyBody: jsonBody(bean({ moves: list(offsetMove) })),
  direction: 'tools to broker',
  section: '12',
})
