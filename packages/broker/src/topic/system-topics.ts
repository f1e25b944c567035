import type { TopicConfig } from '@skua-mq/protocol'
import { Perm, topicConfig } from './topic-config.ts'

/** The template from which topics are created at their first send. */
export const templateTopic = 'TBW102'

export interface TopicSettings {
  readonly brokerClusterName: string
  readonly brokerName: string
  readonly autoCreateTopicEnable: boolean
  readonly maxAutoCreatedTopics: number
  readonly defaultTopicQueueNums: number
  readonly clusterTopicEnable: boolean
  readonly brokerTopicEnable: boolean
  readonly traceTopicEnable: boolean
  readonly msgTraceTopicName: string
}

/** The topics that a broker makes at its start (store.md 5.4), those of transactions and delays included. */
export function systemTopics(settings: TopicSettings): TopicConfig[] {
  const open = Perm.read | Perm.write | Perm.inherit
  const topics = [
    topicConfig('SELF_TEST_TOPIC', 1),
    topicConfig('BenchmarkTest', 1024),
    topicConfig(settings.brokerClusterName, 16, settings.clusterTopicEnable ? open : Perm.inherit),
    topicConfig(settings.brokerName, 1, settings.brokerTopicEnable ? open : Perm.inherit),
    topicConfig('OFFSET_MOVED_EVENT', 1),
    topicConfig('SCHEDULE_TOPIC_XXXX', 18),
    topicConfig(`${settings.brokerClusterName}_REPLY_TOPIC`, 1),
    topicConfig('RMQ_SYS_TRANS_HALF_TOPIC', 1),
    topicConfig('RMQ_SYS_TRANS_OP_HALF_TOPIC', 1),
  ]
  if (settings.autoCreateTopicEnable) topics.push(topicConfig(templateTopic, settings.defaultTopicQueueNums, open))
  if (settings.traceTopicEnable) topics.push(topicConfig(settings.msgTraceTopicName, 1))
  return topics
}
