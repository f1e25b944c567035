import { deadLetterPrefix, isSystemTopic, retryPrefix } from '@skua-mq/protocol'

const systemGroupPrefix = 'cid_rmq_sys_'

export const isSystemGroup = (group: string): boolean => group.toLowerCase().startsWith(systemGroupPrefix)

/** The label is_system of a topic, or of a topic and a group. */
export const systemLabel = (topic: string, group = ''): string => String(isSystemTopic(topic) || isSystemGroup(group))

/** What RocketMQ leaves out where it counts by topic. */
export const isRetryOrDeadLetter = (topic: string): boolean =>
  topic.startsWith(retryPrefix) || topic.startsWith(deadLetterPrefix)
