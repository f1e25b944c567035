import { bean, boolean, clientJson, integer, jsonBody, list, maybe, oneOf, string, type ValueOfShape } from './shape.ts'
import { subscriptionDataShape } from './subscription.ts'

/** CONSUME_POP is 5.x's. An unknown name reads as undefined, as in Java. */
export const consumeTypeShape = oneOf('CONSUME_ACTIVELY', 'CONSUME_PASSIVELY', 'CONSUME_POP')
export const messageModelShape = oneOf('BROADCASTING', 'CLUSTERING')
export const consumeFromWhereShape = oneOf(
  'CONSUME_FROM_LAST_OFFSET',
  'CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST',
  'CONSUME_FROM_MIN_OFFSET',
  'CONSUME_FROM_MAX_OFFSET',
  'CONSUME_FROM_FIRST_OFFSET',
  'CONSUME_FROM_TIMESTAMP',
)
export type ConsumeType = NonNullable<ValueOfShape<typeof consumeTypeShape>>
/** CLUSTERING: the members share the queues. BROADCASTING: each member gets all. */
export type MessageModel = NonNullable<ValueOfShape<typeof messageModelShape>>
/** Where a group begins in a queue of which the broker knows no offset of it. */
export type ConsumeFromWhere = NonNullable<ValueOfShape<typeof consumeFromWhereShape>>

const consumerDataShape = bean({
  groupName: string,
  consumeType: consumeTypeShape,
  messageModel: messageModelShape,
  consumeFromWhere: consumeFromWhereShape,
  subscriptionDataSet: list(subscriptionDataShape),
  unitMode: boolean(),
})
export type ConsumerData = ValueOfShape<typeof consumerDataShape>

const producerDataShape = bean({ groupName: string })
export type ProducerData = ValueOfShape<typeof producerDataShape>

const heartbeatDataShape = bean({
  clientID: string,
  consumerDataSet: list(consumerDataShape),
  producerDataSet: list(producerDataShape),
  heartbeatFingerprint: maybe(integer()),
  withoutSub: maybe(boolean()),
})
export type HeartbeatData = ValueOfShape<typeof heartbeatDataShape>

/** Body of 34. */
export const heartbeatBody = jsonBody(heartbeatDataShape, undefined, clientJson)
