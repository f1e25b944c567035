import {
  benchmarkTopic,
  halfTopic,
  offsetMovedTopic,
  opTopic,
  Perm,
  replyTopicSuffix,
  scheduleTopic,
  selfTestTopic,
  type TopicConfig,
  templateTopic,
} from '@skua-mq/protocol'
import type { TopicLengths } from './names.ts'
import { topicConfig } from './topic-config.ts'

export interface TopicSettings extends TopicLengths {
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
    topicConfig(selfTestTopic, 1),
    topicConfig(benchmarkTopic, 1024),
    topicConfig(settings.brokerClusterName, 16, settings.clusterTopicEnable ? open : Perm.inherit),
    topicConfig(settings.brokerName, 1, settings.brokerTopicEnable ? open : Perm.inherit),
    topicConfig(offsetMovedTopic, 1),
    topicConfig(scheduleTopic, 18),
    topicConfig(`${settings.brokerClusterName}${replyTopicSuffix}`, 1),
    topicConfig(halfTopic, 1),
    topicConfig(opTopic, 1),
  ]
  if (settings.autoCreateTopicEnable) topics.push(topicConfig(templateTopic, settings.defaultTopicQueueNums, open))
  if (settings.traceTopicEnable) topics.push(topicConfig(settings.msgTraceTopicName, 1))
  return topics
}
