import type { Runtime } from '@skua-mq/runtime'
import { ConsumerGroups } from './client-table/consumer-groups.ts'
import { ProducerGroups } from './client-table/producer-groups.ts'
import { tellMembers } from './client-table/routes.ts'
import type { BrokerConfig } from './config/options.ts'
import { TagFilters } from './filter/tag-filters.ts'
import { GroupTable } from './group/group-table.ts'
import { QueueLocks } from './lock/queue-locks.ts'
import { OffsetTable } from './offset/offset-table.ts'
import { TableFile } from './persist/table-file.ts'
import { TopicTable } from './topic/topic-table.ts'

export type BrokerTables = ReturnType<typeof brokerTables>

/** The broker's small tables and their lives; those with a file keep it under config/ of the store directory. */
export function brokerTables({ config, runtime }: { config: BrokerConfig; runtime: Runtime }) {
  const { clock, events, disk } = runtime
  const file = (name: string) => new TableFile({ disk, events, path: `${config.storePathRootDir}/config/${name}.json` })
  const topics = new TopicTable({ clock, events, file: file('topics'), settings: config })
  const groups = new GroupTable({
    clock,
    events,
    file: file('subscriptionGroup'),
    autoCreate: () => config.autoCreateSubscriptionGroup,
  })
  const offsets = new OffsetTable({
    clock,
    events,
    file: file('consumerOffset'),
    intervalMs: () => config.flushConsumerOffsetInterval,
  })
  const consumers = new ConsumerGroups({
    clock,
    events,
    notify: group => {
      if (config.notifyConsumerIdsChangedEnable) tellMembers(group)
    },
  })
  const producers = new ProducerGroups(clock)
  return {
    topics,
    groups,
    offsets,
    consumers,
    producers,
    locks: new QueueLocks(clock),
    filters: new TagFilters(),
    load: () => {
      topics.load()
      groups.load()
      offsets.load()
    },
    start: () => offsets.start(),
    stop: () => {
      offsets.stop()
      topics.save()
      groups.save()
    },
    expire: () => {
      consumers.expire()
      producers.expire()
    },
  }
}
