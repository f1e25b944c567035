import { consumerOffsetBody, correctionOffsetBody, delayOffsetBody } from '../bodies/offset-table.ts'
import { bool, type Field, int, long, optional, text } from '../field.ts'
import { defineRequest } from '../request.ts'

/** Which end of messages of one timestamp: only "upper", in any case, is UPPER; Java sends the constant's name. */
export const boundaryType: Field<'LOWER' | 'UPPER'> = {
  parse: value => (value.toLowerCase() === 'upper' ? 'UPPER' : 'LOWER'),
  print: value => value,
}

const queue = { topic: text, queueId: int } as const
const clientOrTools = { direction: 'client and tools to broker', section: '11' } as const

/** Where does this group stand in this queue? 22 when unknown, but 0 while the queue's first message is still in memory. */
export const queryConsumerOffset = defineRequest({
  name: 'QUERY_CONSUMER_OFFSET',
  code: 14,
  header: { consumerGroup: text, ...queue, setZeroIfNotFound: optional(bool), bname: optional(text) },
  reply: { offset: long },
  direction: 'client to broker',
  section: '11',
})

/** Stores what it gets, also a smaller offset. Usually oneway. */
export const updateConsumerOffset = defineRequest({
  name: 'UPDATE_CONSUMER_OFFSET',
  code: 15,
  header: { consumerGroup: text, ...queue, commitOffset: long, bname: optional(text) },
  direction: 'client to broker',
  section: '11',
})

export const searchOffsetByTimestamp = defineRequest({
  name: 'SEARCH_OFFSET_BY_TIMESTAMP',
  code: 29,
  header: { ...queue, timestamp: long, boundaryType: optional(boundaryType), bname: optional(text) },
  reply: { offset: long },
  ...clientOrTools,
})

/** The offset that the next message will get. */
export const getMaxOffset = defineRequest({
  name: 'GET_MAX_OFFSET',
  code: 30,
  header: { ...queue, committed: optional(bool), bname: optional(text) },
  reply: { offset: long },
  ...clientOrTools,
})

export const getMinOffset = defineRequest({
  name: 'GET_MIN_OFFSET',
  code: 31,
  header: { ...queue, bname: optional(text) },
  reply: { offset: long },
  ...clientOrTools,
})

/** -1 when the queue is empty. */
export const getEarliestMsgStoretime = defineRequest({
  name: 'GET_EARLIEST_MSG_STORETIME',
  code: 32,
  header: { ...queue, bname: optional(text) },
  reply: { timestamp: long },
  ...clientOrTools,
})

export const getAllConsumerOffset = defineRequest({
  name: 'GET_ALL_CONSUMER_OFFSET',
  code: 43,
  replyBody: consumerOffsetBody,
  direction: 'slave to master',
  section: '16',
})

export const getAllDelayOffset = defineRequest({
  name: 'GET_ALL_DELAY_OFFSET',
  code: 45,
  replyBody: delayOffsetBody,
  direction: 'slave to master',
  section: '16',
})

export const queryCorrectionOffset = defineRequest({
  name: 'QUERY_CORRECTION_OFFSET',
  code: 308,
  header: { filterGroups: optional(text), compareGroup: text, topic: text },
  replyBody: correctionOffsetBody,
  direction: 'tools to broker',
  section: 'admin.md 3',
})

export const cloneGroupOffset = defineRequest({
  name: 'CLONE_GROUP_OFFSET',
  code: 314,
  header: { srcGroup: text, destGroup: text, topic: optional(text), offline: optional(bool) },
  direction: 'tools to broker',
  section: 'admin.md 3',
})
