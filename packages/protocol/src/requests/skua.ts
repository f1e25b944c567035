import { bean, integer, jsonBody, list, string, type ValueOfShape } from '../bodies/shape.ts'
import { int, withDefault } from '../field.ts'
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
