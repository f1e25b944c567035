import { deadLetterPrefix, retryPrefix, type SubscriptionGroupConfig, type TopicConfig } from '@skua-mq/protocol'

/** The first version whose clients say how often a message may be consumed (remoting.md 9.5). */
const versionWithLimit = 121

export const retryTopicOf = (group: string): string => retryPrefix + group

/** How often a message may be given back before it is dead: as its client says, else as the group is configured. */
export function reconsumeLimit(
  request: { readonly version: number; readonly maxReconsumeTimes: number | undefined },
  group: Pick<SubscriptionGroupConfig, 'retryMaxTimes'>,
): number {
  const { version, maxReconsumeTimes } = request
  return version >= versionWithLimit && maxReconsumeTimes !== undefined ? maxReconsumeTimes : group.retryMaxTimes
}

/** The topic of a group's dead letters, made with one queue when it is first needed. */
export function deadLetterTopic(
  group: string,
  topics: { ensure(topic: string, queues: number, why: string): TopicConfig },
): string {
  return topics.ensure(deadLetterPrefix + group, 1, `the first dead letter of ${group}`).topicName
}
