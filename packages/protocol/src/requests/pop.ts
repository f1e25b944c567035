import {
  batchAckBody,
  messageRequestModeBody,
  messageRequestModesBody,
  queryAssignmentBody,
  queueAssignmentsBody,
} from '../bodies/pop.ts'
import { bool, int, long, optional, text, withDefault } from '../field.ts'
import { bounded, defineRequest } from '../request.ts'

const common = { direction: 'client to broker', section: '15' } as const

/** What pops and peeks are answered with beside the messages; also where there are none. */
const popReply = {
  popTime: long,
  invisibleTime: long,
  /** 999 where it was popped in order. */
  reviveQid: int,
  /** Messages that are left in the queues that were looked at. */
  restNum: long,
  startOffsetInfo: optional(text),
  msgOffsetInfo: optional(text),
  orderCountInfo: optional(text),
} as const

/** Takes messages out of the queues of a topic for some time. Reply body: stored messages back to back. */
export const popMessage = defineRequest({
  name: 'POP_MESSAGE',
  code: 200050,
  header: {
    consumerGroup: text,
    topic: text,
    /** -1: any. */
    queueId: int,
    /** At most 32. */
    maxMsgNums: int,
    /** How long the messages belong to whoever took them, in ms. */
    invisibleTime: long,
    /** Longest hold in ms, from bornTime on. */
    pollTime: long,
    bornTime: withDefault(long, 0),
    /** Where a group begins that was never here: 0 at the first message, 1 at the end. */
    initMode: int,
    expType: optional(text),
    exp: optional(text),
    order: withDefault(bool, false),
    attemptId: optional(text),
  },
  reply: popReply,
  ...common,
})

const settled = {
  consumerGroup: text,
  topic: text,
  queueId: int,
  /** The property POP_CK of the message. */
  extraInfo: text,
  offset: long,
} as const

/** A message is consumed. */
export const ackMessage = defineRequest({ name: 'ACK_MESSAGE', code: 200051, header: settled, ...common })

/** The same of many, with bits for their distances from where their pop began. */
export const batchAckMessage = defineRequest({
  name: 'BATCH_ACK_MESSAGE',
  code: 200151,
  body: bounded(batchAckBody),
  ...common,
})

/** A message comes again after another time than that of its pop. */
export const changeMessageInvisibleTime = defineRequest({
  name: 'CHANGE_MESSAGE_INVISIBLETIME',
  code: 200053,
  header: { ...settled, invisibleTime: long },
  reply: { popTime: long, invisibleTime: long, reviveQid: int },
  ...common,
})

/** What a pop would take, without taking it. */
export const peekMessage = defineRequest({
  name: 'PEEK_MESSAGE',
  code: 200052,
  header: { consumerGroup: text, topic: text, queueId: int, maxMsgNums: int },
  reply: popReply,
  ...common,
})

/** Waits until a pop would find something. */
export const notification = defineRequest({
  name: 'NOTIFICATION',
  code: 200054,
  header: {
    consumerGroup: text,
    topic: text,
    queueId: int,
    pollTime: long,
    bornTime: withDefault(long, 0),
    order: withDefault(bool, false),
    attemptId: optional(text),
  },
  reply: { hasMsg: bool, pollingFull: withDefault(bool, false) },
  ...common,
})

/** How many pops are held. */
export const pollingInfo = defineRequest({
  name: 'POLLING_INFO',
  code: 200055,
  header: { consumerGroup: text, topic: text, queueId: int },
  reply: { pollingNum: int },
  ...common,
})

/** Who balances at the broker asks which queues are its own, and whether to pull or to pop. */
export const queryAssignment = defineRequest({
  name: 'QUERY_ASSIGNMENT',
  code: 400,
  body: bounded(queryAssignmentBody),
  replyBody: queueAssignmentsBody,
  ...common,
})

/** Whether a group pulls or pops a topic. */
export const setMessageRequestMode = defineRequest({
  name: 'SET_MESSAGE_REQUEST_MODE',
  code: 401,
  body: bounded(messageRequestModeBody),
  direction: 'tools to broker',
  section: '15',
})

/** All that was set so, for slaves. */
export const getAllMessageRequestMode = defineRequest({
  name: 'GET_ALL_MESSAGE_REQUEST_MODE',
  code: 402,
  replyBody: messageRequestModesBody,
  direction: 'slave to master, tools to broker',
  section: '15',
})
