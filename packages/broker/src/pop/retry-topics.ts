import { popRetryTopic, popRetryTopicV2, retryPrefix } from '@skua-mq/protocol'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { TopicTable } from '../topic/topic-table.ts'

export interface RetryTopicsParts {
  readonly topics: Pick<TopicTable, 'all' | 'ensure' | 'delete' | 'find'>
  readonly offsets: Pick<OffsetTable, 'groupsOf' | 'find' | 'commit'>
  readonly isV2: boolean
  /** A topic is gone: queues and offsets follow. */
  readonly deleted: (topic: string) => void
}

/** The topics in which messages lie that a group has to pop again: one for each topic of each group, with one queue. */
export class RetryTopics {
  private readonly parts: RetryTopicsParts
  private readonly ending = new Set<Promise<unknown>>()

  constructor(parts: RetryTopicsParts) {
    this.parts = parts
  }

  /** Where a message goes that was not acknowledged. */
  of(topic: string, group: string): string {
    return this.parts.isV2 ? popRetryTopicV2(topic, group) : popRetryTopic(topic, group)
  }

  ensure(name: string, group: string): void {
    const { topics, offsets } = this.parts
    topics.ensure(name, 1, `${group} did not acknowledge in time`)
    // From then on the group is known to be its own.
    if (offsets.find(group, name, 0) === undefined)
      offsets.commit({ group, topic: name, queueId: 0, offset: 0, who: 'pop' })
  }

  /** Those of a topic that is deleted go with it: made anew, it must not bring back what was before. */
  topicDeleted(topic: string): void {
    const { topics, offsets, deleted } = this.parts
    if (topic.startsWith(retryPrefix)) return
    for (const { topicName: name } of topics.all()) {
      if (!name.startsWith(retryPrefix) || !name.endsWith(topic)) continue
      const isIts = (group: string) => popRetryTopic(topic, group) === name || popRetryTopicV2(topic, group) === name
      if (!offsets.groupsOf(name).some(isIts)) continue
      // What cannot be written is an event of the table, and the topic stays.
      const end = topics.delete(name, () => deleted(name)).catch(() => {})
      this.ending.add(end)
      void end.finally(() => this.ending.delete(end))
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.ending)
  }
}
