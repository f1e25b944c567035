import { Perm, type TopicConfig } from '@skua-mq/protocol'

/** A topic with as many queues to read as to write; readable and writable unless said otherwise. */
export function topicConfig(topicName: string, queues: number, perm: number = Perm.read | Perm.write): TopicConfig {
  return {
    topicName,
    readQueueNums: queues,
    writeQueueNums: queues,
    perm,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
  }
}
