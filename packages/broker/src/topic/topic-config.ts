import type { TopicConfig } from '@skua-mq/protocol'

/** Bits of a topic's perm (remoting.md 14.3). */
export const Perm = { priority: 8, read: 4, write: 2, inherit: 1 } as const

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
