import { bean, bigLong, boolean, integer, jsonBody, list, maybe, string, type ValueOfShape } from './shape.ts'
import { subscriptionDataShape } from './subscription.ts'

const unitShape = bean({
  physicOffset: integer(),
  physicSize: integer(),
  /** All 64 bits count: extended units hold an address here. */
  tagsCode: bigLong,
  extendDataJson: maybe(string),
  bitMap: maybe(string),
  eval: boolean(),
  msg: maybe(string),
})
/** One unit of a consume queue, as operator tools see it. */
export type ConsumeQueueData = ValueOfShape<typeof unitShape>

const shape = bean({
  subscriptionData: maybe(subscriptionDataShape),
  filterData: maybe(string),
  queueData: list(unitShape),
  maxQueueIndex: integer(),
  minQueueIndex: integer(),
})
export type QueryConsumeQueueResponse = ValueOfShape<typeof shape>
/** Reply body of 321. */
export const queryConsumeQueueBody = jsonBody(shape)
