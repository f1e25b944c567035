// Topics of RocketMQ itself, and what a topic allows. They stand here once; remoting.md 9.2, 14.3 and store.md 5.4 say who
// makes and who uses them.

/** The template from which topics are created at their first send. */
export const templateTopic = 'TBW102'
/** Delayed messages: a queue for each level, and the tags code of a unit is the time of delivery. */
export const scheduleTopic = 'SCHEDULE_TOPIC_XXXX'
/** Messages with a time of delivery of their own (5.x). */
export const wheelTimerTopic = 'rmq_sys_wheel_timer'
/** Half messages of transactions, the marks of those that are decided, and those that were asked about in vain. */
export const halfTopic = 'RMQ_SYS_TRANS_HALF_TOPIC'
export const opTopic = 'RMQ_SYS_TRANS_OP_HALF_TOPIC'
export const discardTopic = 'TRANS_CHECK_MAX_TIME_TOPIC'
export const selfTestTopic = 'SELF_TEST_TOPIC'
export const benchmarkTopic = 'BenchmarkTest'
export const offsetMovedTopic = 'OFFSET_MOVED_EVENT'
/** Where traces go, unless the broker or a client names another topic. */
export const traceTopic = 'RMQ_SYS_TRACE_TOPIC'
/**
 * Skua's own: where the broker keeps what it had taken and the store then refuses for good, a delayed message above a limit
 * that was lowered, above all. It lies there byte for byte, with REAL_TOPIC and REAL_QID as properties.
 */
export const undeliverableTopic = 'rmq_sys_UNDELIVERABLE'

/** What a group has to consume again, and what it gave up: the prefix before its name. */
export const retryPrefix = '%RETRY%'
export const deadLetterPrefix = '%DLQ%'

/** Replies to requests: behind the name of the cluster. */
export const replyTopicSuffix = '_REPLY_TOPIC'

/** Where a group's pops are kept when their time is over: behind it the name of the cluster (store.md 9.3). */
export const reviveTopicPrefix = 'rmq_sys_REVIVE_LOG_'
/** The group under which the broker reads that topic. */
export const reviveGroup = 'CID_RMQ_SYS_REVIVE_GROUP'

/** Messages of a topic that a group popped and did not acknowledge in time. */
export const popRetryTopic = (topic: string, group: string): string => `${retryPrefix}${group}_${topic}`
/** The same where enableRetryTopicV2 is on. */
export const popRetryTopicV2 = (topic: string, group: string): string => `${retryPrefix}${group}+${topic}`

/** The topic that a group's messages were in before they were retried. */
export function popOriginOf(topic: string, group: string): string {
  const prefix = `${retryPrefix}${group}`
  return topic.startsWith(prefix) && '_+'.includes(topic.charAt(prefix.length)) ? topic.slice(prefix.length + 1) : topic
}

/** Queues that hold entries for messages of other topics (INNER_MULTI_DISPATCH of 5.x). */
export const lightQueuePrefix = '%LMQ%'

/** Topics that only brokers write. */
export const brokersTopics: ReadonlySet<string> = new Set([
  scheduleTopic,
  wheelTimerTopic,
  halfTopic,
  opTopic,
  discardTopic,
  selfTestTopic,
  offsetMovedTopic,
  undeliverableTopic,
  wheelTimerTopic,
])

const systemTopics: ReadonlySet<string> = new Set([...brokersTopics, templateTopic, benchmarkTopic, traceTopic])

/** Whether a name belongs to brokers, whether one has made it or not (admin.md 2). */
export const isSystemTopic = (topic: string): boolean => systemTopics.has(topic) || topic.startsWith('rmq_sys_')

/** Bits of a topic's perm, and of brokerPermission. */
export const Perm = { priority: 8, read: 4, write: 2, inherit: 1 } as const
