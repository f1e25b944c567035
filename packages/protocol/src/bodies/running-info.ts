import { messageQueueShape } from './message-queue.ts'
import {
  anyJson,
  bean,
  boolean,
  double,
  integer,
  jsonBody,
  list,
  maybe,
  objectTable,
  oneOf,
  string,
  table,
  type ValueOfShape,
} from './shape.ts'
import { subscriptionDataShape } from './subscription.ts'

const processQueueShape = bean({
  commitOffset: integer(),
  cachedMsgMinOffset: integer(),
  cachedMsgMaxOffset: integer(),
  cachedMsgCount: integer(),
  cachedMsgSizeInMiB: integer(),
  transactionMsgMinOffset: integer(),
  transactionMsgMaxOffset: integer(),
  transactionMsgCount: integer(),
  locked: boolean(),
  tryUnlockTimes: integer(),
  lastLockTimestamp: integer(),
  /** Spelled so on the wire. */
  droped: boolean(),
  lastPullTimestamp: integer(),
  lastConsumeTimestamp: integer(),
})
export type ProcessQueueInfo = ValueOfShape<typeof processQueueShape>

const consumeStatusShape = bean({
  pullRT: double,
  pullTPS: double,
  consumeRT: double,
  consumeOKTPS: double,
  consumeFailedTPS: double,
  consumeFailedMsgs: integer(),
})
export type ConsumeStatus = ValueOfShape<typeof consumeStatusShape>

const shape = bean({
  /** PROP_NAMESERVER_ADDR, PROP_CONSUME_TYPE … (remoting.md 13.1). */
  properties: table(string),
  subscriptionSet: list(subscriptionDataShape),
  mqTable: objectTable(messageQueueShape, processQueueShape),
  mqPopTable: maybe(objectTable(messageQueueShape, anyJson)),
  /** By topic. */
  statusTable: table(consumeStatusShape),
  userConsumerInfo: maybe(table(string)),
  jstack: maybe(string),
})
export type ConsumerRunningInfo = ValueOfShape<typeof shape>
/** Reply body of 307. */
export const consumerRunningInfoBody = jsonBody(shape)

const directlyShape = bean({
  order: boolean(),
  autoCommit: boolean(true),
  consumeResult: oneOf('CR_SUCCESS', 'CR_LATER', 'CR_ROLLBACK', 'CR_COMMIT', 'CR_THROW_EXCEPTION', 'CR_RETURN_NULL'),
  remark: maybe(string),
  spentTimeMills: integer(),
})
export type ConsumeMessageDirectlyResult = ValueOfShape<typeof directlyShape>
/** Reply body of 309. */
export const consumeMessageDirectlyBody = jsonBody(directlyShape)
