/** Names of properties which RocketMQ gives a meaning to (remoting.md 14.2). */
export const PropertyName = {
  keys: 'KEYS',
  tags: 'TAGS',
  waitStoreMsgOk: 'WAIT',
  delayTimeLevel: 'DELAY',
  retryTopic: 'RETRY_TOPIC',
  realTopic: 'REAL_TOPIC',
  realQueueId: 'REAL_QID',
  transactionPrepared: 'TRAN_MSG',
  producerGroup: 'PGROUP',
  minOffset: 'MIN_OFFSET',
  maxOffset: 'MAX_OFFSET',
  buyerId: 'BUYER_ID',
  originMessageId: 'ORIGIN_MESSAGE_ID',
  transferFlag: 'TRANSFER_FLAG',
  correctionFlag: 'CORRECTION_FLAG',
  mq2Flag: 'MQ2_FLAG',
  reconsumeTime: 'RECONSUME_TIME',
  msgRegion: 'MSG_REGION',
  traceSwitch: 'TRACE_ON',
  uniqueKey: 'UNIQ_KEY',
  extendUniqueInfo: 'EXTEND_UNIQ_INFO',
  maxReconsumeTimes: 'MAX_RECONSUME_TIMES',
  consumeStartTimestamp: 'CONSUME_START_TIME',
  innerNum: 'INNER_NUM',
  innerBase: 'INNER_BASE',
  dupInfo: 'DUP_INFO',
  checkImmunityTimeInSeconds: 'CHECK_IMMUNITY_TIME_IN_SECONDS',
  transactionPreparedQueueOffset: 'TRAN_PREPARED_QUEUE_OFFSET',
  transactionId: '__transactionId__',
  transactionCheckTimes: 'TRANSACTION_CHECK_TIMES',
  instanceId: 'INSTANCE_ID',
  correlationId: 'CORRELATION_ID',
  replyToClient: 'REPLY_TO_CLIENT',
  timeToLive: 'TTL',
  arriveTime: 'ARRIVE_TIME',
  pushReplyTime: 'PUSH_REPLY_TIME',
  cluster: 'CLUSTER',
  messageType: 'MSG_TYPE',
  innerMultiDispatch: 'INNER_MULTI_DISPATCH',
  innerMultiQueueOffset: 'INNER_MULTI_QUEUE_OFFSET',
  traceContext: 'TRACE_CONTEXT',
  timerDelaySeconds: 'TIMER_DELAY_SEC',
  timerDelayMs: 'TIMER_DELAY_MS',
  timerDeliverMs: 'TIMER_DELIVER_MS',
  timerEnqueueMs: 'TIMER_ENQUEUE_MS',
  timerDequeueMs: 'TIMER_DEQUEUE_MS',
  timerRollTimes: 'TIMER_ROLL_TIMES',
  timerOutMs: 'TIMER_OUT_MS',
  timerDelUniqueKey: 'TIMER_DEL_UNIQKEY',
  timerDelayLevel: 'TIMER_DELAY_LEVEL',
  popCheckPoint: 'POP_CK',
  popCheckPointOffset: 'POP_CK_OFFSET',
  firstPopTime: '1ST_POP_TIME',
  shardingKey: '__SHARDINGKEY',
  bornHost: '__BORNHOST',
  bornTimestamp: 'BORN_TIMESTAMP',
  forwardQueueId: 'PROPERTY_FORWARD_QUEUE_ID',
  redirect: 'REDIRECT',
  dlqOriginTopic: 'DLQ_ORIGIN_TOPIC',
  dlqOriginMessageId: 'DLQ_ORIGIN_MESSAGE_ID',
  crc32: '__CRC32#',
} as const
export type PropertyName = (typeof PropertyName)[keyof typeof PropertyName]

/** Properties of 5.x clients whose names start so are never stored. */
export const transientPrefix = '__RMQ.TRANSIENT.'

/** Names with a meaning which a user gives a value to himself. */
const forUsers: ReadonlySet<string> = new Set<PropertyName>([
  PropertyName.checkImmunityTimeInSeconds,
  PropertyName.innerMultiDispatch,
  PropertyName.innerNum,
  PropertyName.innerBase,
  PropertyName.shardingKey,
  PropertyName.traceContext,
  PropertyName.transactionId,
  PropertyName.transactionCheckTimes,
  PropertyName.forwardQueueId,
  PropertyName.redirect,
])

const reserved: ReadonlySet<string> = new Set(Object.values(PropertyName).filter(name => !forUsers.has(name)))

/** Whether Java clients refuse a user property of this name. Other methods set what these properties say. */
export function isReservedProperty(name: string): boolean {
  return reserved.has(name)
}
