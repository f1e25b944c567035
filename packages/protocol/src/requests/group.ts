import { consumerListBody } from '../bodies/connection.ts'
import { heartbeatBody } from '../bodies/heartbeat.ts'
import { checkClientBody } from '../bodies/subscription.ts'
import { as, bool, optional, text } from '../field.ts'
import { bounded, defineRequest } from '../request.ts'

const toBroker = { direction: 'client to broker', section: '11' } as const

/** The reply's version is what Java consumers take for the broker's: it must be a modern number (remoting.md 3.2). */
export const heartBeat = defineRequest({
  name: 'HEART_BEAT',
  code: 34,
  body: bounded(heartbeatBody),
  reply: {
    isSupportHeartBeatV2: as('IS_SUPPORT_HEART_BEAT_V2', optional(bool)),
    isSubChange: as('IS_SUB_CHANGE', optional(bool)),
  },
  ...toBroker,
})

export const unregisterClient = defineRequest({
  name: 'UNREGISTER_CLIENT',
  code: 35,
  header: { clientID: text, producerGroup: optional(text), consumerGroup: optional(text) },
  ...toBroker,
})

/** Answered with 1 when the group has nobody. */
export const getConsumerListByGroup = defineRequest({
  name: 'GET_CONSUMER_LIST_BY_GROUP',
  code: 38,
  header: { consumerGroup: text },
  replyBody: consumerListBody,
  ...toBroker,
})

/** Sent on start for subscriptions other than by tag. */
export const checkClientConfig = defineRequest({
  name: 'CHECK_CLIENT_CONFIG',
  code: 46,
  body: bounded(checkClientBody),
  ...toBroker,
})

/** Membership or subscriptions of the group changed: rebalance now. */
export const notifyConsumerIdsChanged = defineRequest({
  name: 'NOTIFY_CONSUMER_IDS_CHANGED',
  code: 40,
  header: { consumerGroup: text },
  direction: 'broker to client',
  section: '13',
  oneway: true,
})
