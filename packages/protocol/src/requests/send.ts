import { as, bool, int, long, optional, text, withDefault } from '../field.ts'
import { defineRequest } from '../request.ts'

/** Java's long names, of 10 and 324. */
const sendHeader = {
  producerGroup: text,
  topic: text,
  /** Template of an automatically created topic, TBW102. */
  defaultTopic: text,
  defaultTopicQueueNums: int,
  /** Below 0 the broker picks one. */
  queueId: int,
  /** remoting.md 14.3. */
  sysFlag: int,
  bornTimestamp: long,
  /** The user's flag. */
  flag: int,
  /** remoting.md 14.1. */
  properties: optional(text),
  reconsumeTimes: optional(int),
  unitMode: withDefault(bool, false),
  /** Only with sends to a %RETRY% topic. */
  maxReconsumeTimes: optional(int),
  /** The body is a batch: brokers decide by this and not by the code. */
  batch: withDefault(bool, false),
  bname: optional(text),
} as const

/** The same under one-letter names, of 310, 320 and 325: one shape of values for all of them. */
const sendHeaderV2 = {
  producerGroup: as('a', sendHeader.producerGroup),
  topic: as('b', sendHeader.topic),
  defaultTopic: as('c', sendHeader.defaultTopic),
  defaultTopicQueueNums: as('d', sendHeader.defaultTopicQueueNums),
  queueId: as('e', sendHeader.queueId),
  sysFlag: as('f', sendHeader.sysFlag),
  bornTimestamp: as('g', sendHeader.bornTimestamp),
  flag: as('h', sendHeader.flag),
  properties: as('i', sendHeader.properties),
  reconsumeTimes: as('j', sendHeader.reconsumeTimes),
  unitMode: as('k', sendHeader.unitMode),
  maxReconsumeTimes: as('l', sendHeader.maxReconsumeTimes),
  batch: as('m', sendHeader.batch),
  bname: as('n', sendHeader.bname),
} as const

const sendReply = {
  /** The offset id; several joined by "," for a batch. */
  msgId: text,
  queueId: int,
  /** Of the first message of a batch. */
  queueOffset: long,
  transactionId: optional(text),
  batchUniqId: optional(text),
  recallHandle: optional(text),
} as const

const send = { header: sendHeader, reply: sendReply, direction: 'client to broker' } as const
const sendV2 = { header: sendHeaderV2, reply: sendReply, direction: 'client to broker' } as const

/** Body: the message's, or a batch. Answered with code 0, and with 10, 11, 12 when stored with a wish unmet. */
export const sendMessage = defineRequest({ name: 'SEND_MESSAGE', code: 10, section: '9', ...send })
export const sendMessageV2 = defineRequest({ name: 'SEND_MESSAGE_V2', code: 310, section: '9', ...sendV2 })
export const sendBatchMessage = defineRequest({ name: 'SEND_BATCH_MESSAGE', code: 320, section: '9', ...sendV2 })

/** An answer of request-reply, to `<cluster>_REPLY_TOPIC`; goes on as 326. */
export const sendReplyMessage = defineRequest({ name: 'SEND_REPLY_MESSAGE', code: 324, section: '9.7', ...send })
export const sendReplyMessageV2 = defineRequest({ name: 'SEND_REPLY_MESSAGE_V2', code: 325, section: '9.7', ...sendV2 })

/** A consumer gives a message back for a retry; limit and copy: remoting.md 9.5. */
export const consumerSendMsgBack = defineRequest({
  name: 'CONSUMER_SEND_MSG_BACK',
  code: 36,
  header: {
    /** Physical offset of the message. */
    offset: long,
    group: text,
    /** 0: the broker chooses; below 0: straight to the dead letters. */
    delayLevel: int,
    originMsgId: optional(text),
    originTopic: optional(text),
    unitMode: withDefault(bool, false),
    maxReconsumeTimes: optional(int),
    bname: optional(text),
  },
  direction: 'client to broker',
  section: '9.5',
})

const { batch: _batch, bname: _bname, maxReconsumeTimes: _max, ...pushed } = sendHeader

/** The reply of a request-reply on its way to the requester; body as sent. */
export const pushReplyMessageToClient = defineRequest({
  name: 'PUSH_REPLY_MESSAGE_TO_CLIENT',
  code: 326,
  header: {
    ...pushed,
    /** "ip:port" of the replier. */
    bornHost: text,
    storeHost: text,
    storeTimestamp: long,
  },
  direction: 'broker to client',
  section: '13.2',
})
