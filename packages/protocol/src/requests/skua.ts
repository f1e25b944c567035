import { bean, integer, jsonBody, list, maybe, string, type ValueOfShape } from '../bodies/shape.ts'
import { bool, int, long, optional, text, withDefault } from '../field.ts'
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

const waitingTimer = bean({
  /** Where it goes. */
  topic: string,
  /** The unique id; of a sender without ids the empty text. */
  msgId: string,
  keys: string,
  tags: maybe(string),
  /** When it is delivered; milliseconds since 1970. */
  deliverAtMs: integer(),
  /** Its slot in the wheel (TIMER_OUT_MS). */
  slotMs: integer(),
  bornAtMs: integer(),
  storedAtMs: integer(),
  /** Where the message waits in the commit log. */
  physicalOffset: integer(),
  /** Bytes in the store. */
  storeSize: integer(),
})

/** A message whose time of delivery has not come. */
export type WaitingTimer = ValueOfShape<typeof waitingTimer>

/**
 * Messages that wait for their times, the slots of the wheel one after another, within a slot the newest first. An answer ends where it
 * has `limit` of them, or after a bounded share of work, and says where the next one goes on.
 */
export const getTimers = defineRequest({
  name: 'GET_TIMERS',
  code: 30_003,
  header: {
    /** Default: all topics. */
    topic: optional(text),
    /** A key, or the unique id. Default: all messages. */
    key: optional(text),
    /** Delivered from this time on, before the other; milliseconds since 1970. */
    fromMs: optional(long),
    toMs: optional(long),
    /** At most so many; default 100, at most 1000. */
    limit: withDefault(int, 100),
    /** Of the answer before. */
    cursor: optional(text),
  },
  replyBody: jsonBody(
    bean({
      timers: list(waitingTimer),
      /** Messages that are taken back, of this answer, of one before, or of one to come: `topic+id`, and their slot. */
      recalled: list(bean({ key: string, slotMs: integer() })),
      /** Of messages that the log does not give. */
      unreadable: list(integer()),
      /** All that wait, of whatever topic. */
      waiting: integer(),
      /** Undefined: nothing is left. */
      cursor: maybe(string),
    }),
  ),
  direction: 'tools to broker',
  section: '12',
})

/** Takes a message back whose time has not come, or gives it another time. */
export const changeTimer = defineRequest({
  name: 'CHANGE_TIMER',
  code: 30_004,
  header: {
    topic: text,
    /** The unique id. */
    msgId: text,
    /** As GET_TIMERS says. */
    physicalOffset: long,
    /** The new time; milliseconds since 1970; one that has passed delivers it now. Undefined: it is never delivered. */
    deliverAtMs: optional(long),
  },
  direction: 'tools to broker',
  section: '12',
})

/** A slave becomes the master of its name. Refused where a message could be lost that was acknowledged, unless forced. */
export const promoteBroker = defineRequest({
  name: 'PROMOTE_BROKER',
  code: 30_011,
  header: {
    /** Refused where the log of the slave ends before this: the end of the former master's. */
    atLeast: optional(long),
    /** host:port of the former master, a slave now, whose groups and timers are taken before. */
    takeFrom: optional(text),
    /** ASYNC_MASTER or SYNC_MASTER; default: what its master was. */
    brokerRole: optional(text),
    force: withDefault(bool, false),
  },
  reply: {
    /** Where its log ends. */
    logEnd: long,
    epoch: long,
  },
  direction: 'tools to broker',
  section: '12',
})

/** A master becomes a slave: takes no more messages, waits until a slave has all, and follows the next master. */
export const demoteBroker = defineRequest({
  name: 'DEMOTE_BROKER',
  code: 30_012,
  header: {
    /** As a slave. */
    brokerId: int,
    /** How long a slave may take until it has all. */
    waitMs: withDefault(int, 5000),
    force: withDefault(bool, false),
  },
  reply: { logEnd: long, epoch: long },
  direction: 'tools to broker',
  section: '12',
})
