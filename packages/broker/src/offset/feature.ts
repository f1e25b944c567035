import { consumerOffsetFile } from '@skua-mq/protocol'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { OffsetTable } from './offset-table.ts'
import { PendingResets } from './pending-resets.ts'
import { offsetRoutes } from './routes.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'file'> & { topics: TopicTable; consumers: ConsumerGroups }

/** How far groups have consumed, and resets that their members have not heard of. */
export const offsets: Feature<Needs, { offsets: OffsetTable; resets: PendingResets }> = {
  name: 'offsets',
  make: ({ config, runtime, store, file, topics, consumers }) => {
    const resets = new PendingResets()
    const table = new OffsetTable({
      ...runtime,
      file: file('consumerOffset', consumerOffsetFile),
      intervalMs: () => config.flushConsumerOffsetInterval,
      isHeld: (group, topic, queueId) => resets.isPending(group, topic, queueId),
    })
    return {
      gives: { offsets: table, resets },
      tables: [table],
      routes: offsetRoutes({
        offsets: table,
        clock: runtime.clock,
        store,
        hasTopic: topic => topics.find(topic) !== undefined,
        memberOf: (group, connection) => consumers.memberOf(group, connection),
        subscribes: (group, topic) => consumers.find(group)?.subscriptions.has(topic),
      }),
      topicDeleted: topic => {
        table.deleteTopic(topic, 'the topic was deleted')
        resets.deleteTopic(topic)
      },
      groupDeleted: group => {
        table.deleteGroup(group, 'the group was deleted')
        resets.deleteGroup(group)
      },
      deletionSettled: () => table.settled(),
    }
  },
}
