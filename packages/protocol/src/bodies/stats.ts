import { messageQueueShape } from './message-queue.ts'
import {
  bean,
  double,
  integer,
  jsonBody,
  list,
  maybe,
  objectTable,
  slicedBody,
  string,
  table,
  type ValueOfShape,
} from './shape.ts'

const topicOffsetShape = bean({ minOffset: integer(), maxOffset: integer(), lastUpdateTimestamp: integer() })
export type TopicOffset = ValueOfShape<typeof topicOffsetShape>
const topicStatsShape = bean({
  offsetTable: objectTable(messageQueueShape, topicOffsetShape),
  topicPutTps: maybe(double),
})
export type TopicStats = ValueOfShape<typeof topicStatsShape>
/** Reply body of 202. */
export const topicStatsBody = slicedBody(topicStatsShape)

const offsetWrapperShape = bean({
  brokerOffset: integer(),
  consumerOffset: integer(),
  lastTimestamp: integer(),
  pullOffset: maybe(integer()),
})
/** One queue of a group: the broker's end, the group's place, and the store time of what it consumed last. */
export type ConsumeProgress = ValueOfShape<typeof offsetWrapperShape>
const consumeStatsShape = bean({
  offsetTable: objectTable(messageQueueShape, offsetWrapperShape),
  consumeTps: double,
})
export type ConsumeStats = ValueOfShape<typeof consumeStatsShape>
/** Reply body of 208. */
export const consumeStatsBody = slicedBody(consumeStatsShape)

const consumeStatsListShape = bean({
  consumeStatsList: list(table(list(consumeStatsShape))),
  brokerAddr: maybe(string),
  totalDiff: integer(),
  totalInflightDiff: maybe(integer()),
})
export type ConsumeStatsList = ValueOfShape<typeof consumeStatsListShape>
/** Reply body of 317. */
export const consumeStatsListBody = slicedBody(consumeStatsListShape)

const timeSpanShape = bean({
  messageQueue: messageQueueShape,
  minTimeStamp: integer(),
  maxTimeStamp: integer(),
  consumeTimeStamp: integer(),
  delayTime: integer(),
  /** Twins as text, `yyyy-MM-dd#HH:mm:ss:SSS`. */
  minTimeStampStr: maybe(string),
  maxTimeStampStr: maybe(string),
  consumeTimeStampStr: maybe(string),
})
export type ConsumeTimeSpan = ValueOfShape<typeof timeSpanShape>
/** Reply body of 303. */
export const consumeTimeSpanBody = slicedBody(bean({ consumeTimeSpanSet: list(timeSpanShape) }))

const statsItemShape = bean({ sum: integer(), tps: double, avgpt: double })
const brokerStatsShape = bean({ statsMinute: statsItemShape, statsHour: statsItemShape, statsDay: statsItemShape })
export type BrokerStats = ValueOfShape<typeof brokerStatsShape>
/** Reply body of 315. */
export const brokerStatsBody = jsonBody(brokerStatsShape)
