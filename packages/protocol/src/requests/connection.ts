import { consumerConnectionBody, producerConnectionBody, producerTableBody } from '../bodies/connection.ts'
import { text } from '../field.ts'
import { defineRequest } from '../request.ts'

const admin = { direction: 'tools to broker', section: 'admin.md 3' } as const

/** Answered with 206 when nobody is online. */
export const getConsumerConnectionList = defineRequest({
  name: 'GET_CONSUMER_CONNECTION_LIST',
  code: 203,
  header: { consumerGroup: text },
  replyBody: consumerConnectionBody,
  ...admin,
})

export const getProducerConnectionList = defineRequest({
  name: 'GET_PRODUCER_CONNECTION_LIST',
  code: 204,
  header: { producerGroup: text },
  replyBody: producerConnectionBody,
  ...admin,
})

export const getAllProducerInfo = defineRequest({
  name: 'GET_ALL_PRODUCER_INFO',
  code: 328,
  replyBody: producerTableBody,
  ...admin,
})
