import {
  consumerFilterFile,
  consumerOffsetFile,
  type SlicedCodec,
  subscriptionGroupTableFile,
  topicConfigTableFile,
} from '@skua-mq/protocol'
import type { Runtime } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { ConsumerGroups } from './client-table/consumer-groups.ts'
import { ProducerGroups } from './client-table/producer-groups.ts'
import { tellMembers } from './client-table/routes.ts'
import type { BrokerConfig } from './config/options.ts'
import { PendingResets } from './consumer-control/pending-resets.ts'
import { ConsumerFilters } from './filter/consumer-filters.ts'
import { ExpressionFilters } from './filter/subscription-filters.ts'
import { FilterServers } from './filter-server/filter-servers.ts'
import { GroupTable } from './group/group-table.ts'
import { QueueLocks } from './lock/queue-locks.ts'
import { OffsetTable } from './offset/offset-table.ts'
import { TableFile } from './persist/table-file.ts'
import { Traffic } from './stats/traffic.ts'
import { TopicTable } from './topic/topic-table.ts'

export interface TablesParts {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly store: Pick<MessageStore, 'maxPhysicalOffset'>
}

export type BrokerTables = ReturnType<typeof brokerTables>

/** The broker's small tables and their lives; those with a file keep it under config/ of the store directory. */
export function brokerTables({ config, runtime, store }: TablesParts) {
  const { clock, events, disk } = runtime
  const file = <T>(name: string, codec: SlicedCodec<T>) =>
    new TableFile({ disk, events, codec, path: `${config.storePathRootDir}/config/${name}.json` })
  const topics = new TopicTable({ clock, events, file: file('topics', topicConfigTableFile), settings: config })
  const groups = new GroupTable({
    clock,
    events,
    file: file('subscriptionGroup', subscriptionGroupTableFile),
    autoCreate: () => config.autoCreateSubscriptionGroup,
    maxAutoCreated: () => config.maxAutoCreatedGroups,
  })
  const resets = new PendingResets()
  const traffic = new Traffic(clock)
  const offsets = new OffsetTable({
    clock,
    events,
    file: file('consumerOffset', consumerOffsetFile),
    intervalMs: () => config.flushConsumerOffsetInterval,
    isHeld: (group, topic, queueId) => resets.isPending(group, topic, queueId),
  })
  const consumers = new ConsumerGroups({
    clock,
    events,
    notify: (group, newcomer) => {
      if (config.notifyConsumerIdsChangedEnable) tellMembers(group, clock, newcomer)
    },
  })
  const producers = new ProducerGroups(clock)
  const consumerFilters = new ConsumerFilters({
    clock,
    file: file('consumerFilter', consumerFilterFile),
    bloom: { errorPercent: config.maxErrorRateOfBloomFilter, keys: config.expectConsumerNumUseFilter },
    logEnd: () => store.maxPhysicalOffset,
    subscription: (group, topic) => consumers.subscription(group, topic),
  })
  const [locks, filterServers] = [new QueueLocks(clock), new FilterServers(clock)]
  return {
    topics,
    groups,
    offsets,
    consumers,
    producers,
    locks,
    filterServers,
    consumerFilters,
    resets,
    traffic,
    filters: new ExpressionFilters(config, consumerFilters),
    name: 'tables',
    /** With an open store. */
    start: async () => {
      for (const table of [topics, groups, offsets, consumerFilters]) table.load()
      for (const table of [offsets, traffic]) table.start()
    },
    stop: async () => {
      for (const table of [traffic, offsets, topics, groups, consumerFilters]) table.stop()
    },
    /** As at a stop, while all goes on: for a process that is about to end without one. */
    save: () => {
      offsets.saveNow()
      for (const table of [topics, groups, consumerFilters]) table.stop()
    },
    expire: () => {
      for (const table of [consumers, producers, locks, filterServers]) table.expire()
      consumerFilters.sweep()
    },
  }
}
