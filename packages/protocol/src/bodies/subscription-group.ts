import { dataVersionShape } from './data-version.ts'
import {
  anyJson,
  bean,
  boolean,
  clientJson,
  integer,
  jsonBody,
  jsonFile,
  list,
  maybe,
  slicedBody,
  string,
  table,
  type ValueOfShape,
} from './shape.ts'

/** A consumer group at a broker, with Java's defaults; what 4.9 does not have is optional. */
export const subscriptionGroupConfigShape = bean({
  groupName: string,
  consumeEnable: boolean(true),
  consumeFromMinEnable: boolean(true),
  consumeBroadcastEnable: boolean(true),
  retryQueueNums: integer(1),
  retryMaxTimes: integer(16),
  brokerId: integer(),
  whichBrokerWhenConsumeSlowly: integer(1),
  notifyConsumerIdsChangedEnable: boolean(true),
  consumeMessageOrderly: maybe(boolean()),
  consumeTimeoutMinute: maybe(integer(15)),
  groupSysFlag: maybe(integer()),
  groupRetryPolicy: anyJson,
  subscriptionDataSet: anyJson,
  attributes: maybe(table(string)),
})
export type SubscriptionGroupConfig = ValueOfShape<typeof subscriptionGroupConfigShape>
/** Body of 200, reply body of 352. */
export const subscriptionGroupConfigBody = jsonBody(subscriptionGroupConfigShape, undefined, clientJson)

/** Body of 225. */
export const subscriptionGroupListBody = jsonBody(
  bean({ groupConfigList: list(subscriptionGroupConfigShape) }),
  undefined,
  clientJson,
)

export const subscriptionGroupTableShape = bean({
  dataVersion: dataVersionShape,
  subscriptionGroupTable: table(subscriptionGroupConfigShape),
  /** 5.x: group to topic to bits. */
  forbiddenTable: maybe(table(table(integer()))),
})
/** Java's SubscriptionGroupWrapper. */
export type SubscriptionGroupTable = ValueOfShape<typeof subscriptionGroupTableShape>
/** Reply body of 201. */
export const subscriptionGroupTableBody = slicedBody(subscriptionGroupTableShape)
/** subscriptionGroup.json */
export const subscriptionGroupTableFile = jsonFile(subscriptionGroupTableShape)
