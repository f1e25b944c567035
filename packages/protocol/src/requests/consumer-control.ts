import { consumerStatusBody, resetOffsetBody } from '../bodies/reset-offset.ts'
import { consumeMessageDirectlyBody, consumerRunningInfoBody } from '../bodies/running-info.ts'
import { bool, int, long, optional, text } from '../field.ts'
import { defineRequest } from '../request.ts'

const reset = {
  topic: text,
  group: text,
  /** ms; -1 is the newest. */
  timestamp: long,
  isForce: bool,
  queueId: optional(int),
  offset: optional(long),
} as const

/** Body for consumers in C++: `resetOffsetListBody`. */
export const resetConsumerClientOffset = defineRequest({
  name: 'RESET_CONSUMER_CLIENT_OFFSET',
  code: 220,
  header: reset,
  body: resetOffsetBody,
  direction: 'broker to client',
  section: '13',
  oneway: true,
})

/** Wait 5 s; the reply fills messageQueueTable. */
export const getConsumerStatusFromClient = defineRequest({
  name: 'GET_CONSUMER_STATUS_FROM_CLIENT',
  code: 221,
  header: { topic: text, group: text, clientAddr: optional(text) },
  replyBody: consumerStatusBody,
  direction: 'broker to client',
  section: '13',
})

export const invokeBrokerToResetOffset = defineRequest({
  name: 'INVOKE_BROKER_TO_RESET_OFFSET',
  code: 222,
  header: reset,
  replyBody: resetOffsetBody,
  direction: 'tools to broker',
  section: 'admin.md 3',
})

/** clientAddr is a client id; none asks all. The reply fills consumerTable. */
export const invokeBrokerToGetConsumerStatus = defineRequest({
  name: 'INVOKE_BROKER_TO_GET_CONSUMER_STATUS',
  code: 223,
  header: { topic: text, group: text, clientAddr: optional(text) },
  replyBody: consumerStatusBody,
  direction: 'tools to broker',
  section: 'admin.md 3',
})

/** Passed on to the client, whose answer comes back as it is; wait 10 s. */
export const getConsumerRunningInfo = defineRequest({
  name: 'GET_CONSUMER_RUNNING_INFO',
  code: 307,
  header: { consumerGroup: text, clientId: text, jstackEnable: optional(bool) },
  replyBody: consumerRunningInfoBody,
  direction: 'tools to broker to client',
  section: '13.1',
})

/** The broker adds brokerName and, as body, the stored message of `msgId`; wait 10 s. */
export const consumeMessageDirectly = defineRequest({
  name: 'CONSUME_MESSAGE_DIRECTLY',
  code: 309,
  header: {
    consumerGroup: text,
    clientId: optional(text),
    msgId: optional(text),
    brokerName: optional(text),
    topic: optional(text),
    topicSysFlag: optional(int),
    groupSysFlag: optional(int),
  },
  replyBody: consumeMessageDirectlyBody,
  direction: 'tools to broker to client',
  section: '13.1',
})
