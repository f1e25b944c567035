import { consumerOffsetFile, deleteSubscriptionGroup, deleteTopicInBroker, retryPrefix } from '@skua-mq/protocol'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetHistory } from '../offset-history/offset-history.ts'
import { isInUse, tableMissing } from '../persist/missing-table.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { brokersGroups, OffsetTable } from './offset-table.ts'
import { offsetVersion } from './offset-version.ts'
import { PendingResets } from './pending-resets.ts'
import { offsetRoutes } from './routes.ts'

type Needs = On<'config' | 'dialect' | 'runtime' | 'store' | 'file'> & {
  topics: TopicTable
  groups: GroupTable
  consumers: ConsumerGroups
  history: OffsetHistory
}

/** How far groups have consumed, and resets that their members have not heard of. */
export const offsets: Feature<Needs, { offsets: OffsetTable; resets: PendingResets }> = {
  name: 'offsets',
  make: ({ config, dialect, runtime, store, file, topics, groups, consumers, history }) => {
    const resets = new PendingResets()
    const table = new OffsetTable({
      ...runtime,
      file: file('consumerOffset', consumerOffsetFile),
      intervalMs: () => config.flushConsumerOffsetInterval,
      moved: move => history.add(move),
      isHeld: (group, topic, queueId) => resets.isPending(group, topic, queueId),
    })
    // Consumers that run on hear of it by their next pull, and do not go on from where they were.
    const cutToLog = () => {
      // The broker hears of nothing.
      for (const queue of table.cutTo((topic, queueId) => store.maxOffset(topic, queueId), 'the log ends before it'))
        if (!brokersGroups.includes(queue.group)) resets.put(queue, queue.offset)
    }
    // A slave has its master's offsets, and perhaps not yet its messages; where its log was cut they may be of what is gone.
    const cutWhereNeeded = () => {
      if (config.brokerRole !== 'SLAVE' || store.tailCut !== undefined) cutToLog()
    }
    // A group that was there has a topic for its retries.
    const tellMissing = () => {
      const hadGroups = topics.isNew || topics.all().some(({ topicName }) => topicName.startsWith(retryPrefix))
      if (table.isNew && hadGroups && isInUse(store, config))
        runtime.events.emit(tableMissing({ file: 'consumerOffset.json', lacks: 'groups begin as new ones do' }))
    }
    // The master names none of a topic that it has made anew, and those from before would count here for ever.
    store.onArrival({
      arrived: () => {},
      restarted: (topic, queueId) => table.deleteQueue(topic, queueId, 'the topic was made anew'),
    })
    return {
      gives: { offsets: table, resets },
      tables: [table, { start: tellMissing }, { start: cutWhereNeeded }],
      routes: offsetRoutes({
        offsets: table,
        clock: runtime.clock,
        store,
        hasTopic: topic => topics.find(topic) !== undefined,
        hasGroup: dialect.offsetCommitIsChecked ? group => groups.find(group) !== undefined : undefined,
        version: offsetVersion(dialect, runtime.clock),
        memberOf: (group, connection) => consumers.memberOf(group, connection),
        subscribes: (group, topic) => consumers.find(group)?.subscriptions.has(topic),
      }),
      topicDeleted: topic => {
        table.deleteTopic(topic, 'the topic was deleted', deleteTopicInBroker.name)
        resets.deleteTopic(topic)
      },
      groupDeleted: (group, by) => {
        table.deleteGroup(group, `the group was deleted by ${by}`, deleteSubscriptionGroup.name)
        resets.deleteGroup(group)
      },
      deletionSettled: () => table.settled(),
    }
  },
}
