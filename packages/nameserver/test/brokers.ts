import type { RegisterBrokerBody, TopicConfig } from '@skua-mq/protocol'
import type { Registration } from '../src/index.ts'

export function topic(topicName: string, changes: Partial<TopicConfig> = {}): TopicConfig {
  return {
    topicName,
    readQueueNums: 4,
    writeQueueNums: 4,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    ...changes,
  }
}

export function body(
  topics: readonly TopicConfig[],
  { counter = 1, filterServerList = [] as string[] } = {},
): RegisterBrokerBody {
  return {
    filterServerList,
    topicConfigSerializeWrapper: {
      dataVersion: { timestamp: 1_700_000_000_000, counter },
      topicConfigTable: new Map(topics.map(config => [config.topicName, config])),
    },
  }
}

/** A master b1 of cluster c1 with topic T; what a test is about goes into `changes`. */
export function registration(changes: Partial<Registration> = {}): Registration {
  return {
    cluster: 'c1',
    brokerName: 'b1',
    brokerAddr: '10.0.0.1:10911',
    brokerId: 0,
    haServerAddr: '10.0.0.1:10912',
    connectionId: 1,
    body: body([topic('T')]),
    ...changes,
  }
}

export const slave = (changes: Partial<Registration> = {}): Registration =>
  registration({
    brokerAddr: '10.0.0.2:10911',
    brokerId: 1,
    haServerAddr: '10.0.0.2:10912',
    connectionId: 2,
    ...changes,
  })
