import { dataVersionBody } from '../bodies/data-version.ts'
import { kvTableBody } from '../bodies/name-list.ts'
import { registerBrokerBody } from '../bodies/register-broker.ts'
import { topicRegistrationBody } from '../bodies/route.ts'
import { as, bool, int, long, optional, text, withDefault } from '../field.ts'
import { bounded, defineRequest } from '../request.ts'

const broker = { brokerName: text, brokerAddr: text, clusterName: text, brokerId: long } as const
const toNameServer = { direction: 'broker to name server', section: '16' } as const

/** To every name server, every 30 s and on a change. The reply's header is only for slaves of a live master. */
export const registerBroker = defineRequest({
  name: 'REGISTER_BROKER',
  code: 103,
  header: {
    ...broker,
    haServerAddr: text,
    compressed: withDefault(bool, false),
    /** CRC-32 of the body as sent, without its top bit; 0 is unchecked. */
    bodyCrc32: withDefault(int, 0),
    heartbeatTimeoutMillis: optional(long),
    enableActingMaster: optional(bool),
    zoneName: as('__ZONE_NAME', optional(text)),
  },
  reply: { haServerAddr: optional(text), masterAddr: optional(text) },
  body: registerBrokerBody,
  /** The order topics. */
  replyBody: kvTableBody,
  ...toNameServer,
})

export const unregisterBroker = defineRequest({
  name: 'UNREGISTER_BROKER',
  code: 104,
  header: broker,
  ...toNameServer,
})

/** Sent before 103 when `forceRegister` is off; keeps the broker alive too. */
export const queryDataVersion = defineRequest({
  name: 'QUERY_DATA_VERSION',
  code: 322,
  header: broker,
  body: bounded(dataVersionBody, 4096),
  reply: { changed: bool },
  replyBody: dataVersionBody,
  ...toNameServer,
})

/** 5.x. ali-ons sends the old request of this number, GET_KV_CONFIG_BY_VALUE. */
export const registerTopicInNamesrv = defineRequest({
  name: 'REGISTER_TOPIC_IN_NAMESRV',
  code: 217,
  header: { topic: text },
  body: bounded(topicRegistrationBody),
  ...toNameServer,
})
