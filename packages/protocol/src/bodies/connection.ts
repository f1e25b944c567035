import { consumeFromWhereShape, consumeTypeShape, messageModelShape } from './heartbeat.ts'
import { bean, integer, jsonBody, list, maybe, slicedBody, string, table, type ValueOfShape } from './shape.ts'
import { subscriptionDataShape } from './subscription.ts'

const connectionShape = bean({
  clientId: string,
  clientAddr: string,
  /** A name of remoting.md 3.1. */
  language: maybe(string),
  version: integer(),
})
/** Who is connected, as operator tools see it. */
export type ClientConnection = ValueOfShape<typeof connectionShape>

const consumerConnectionShape = bean({
  connectionSet: list(connectionShape),
  subscriptionTable: table(subscriptionDataShape),
  consumeType: consumeTypeShape,
  messageModel: messageModelShape,
  consumeFromWhere: consumeFromWhereShape,
})
export type ConsumerConnection = ValueOfShape<typeof consumerConnectionShape>
/** Reply body of 203. */
export const consumerConnectionBody = slicedBody(consumerConnectionShape)

/** Reply body of 204. */
export const producerConnectionBody = slicedBody(bean({ connectionSet: list(connectionShape) }))

const producerInfoShape = bean({
  clientId: string,
  remoteIP: string,
  language: maybe(string),
  version: integer(),
  lastUpdateTimestamp: integer(),
})
export type ProducerInfo = ValueOfShape<typeof producerInfoShape>
/** Reply body of 328: group to its producers. */
export const producerTableBody = slicedBody(bean({ data: table(list(producerInfoShape)) }))

/** Reply body of 38. */
export const consumerListBody = jsonBody(bean({ consumerIdList: list(string) }))
