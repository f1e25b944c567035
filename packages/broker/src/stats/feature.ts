import { type Runtime, usedShare } from '@skua-mq/runtime'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { progressRoutes } from './progress-routes.ts'
import { runtimeRoutes } from './runtime-routes.ts'
import { Traffic } from './traffic.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'brokerAddr' | 'furniture'> & {
  topics: TopicTable
  groups: GroupTable
  offsets: OffsetTable
  consumers: ConsumerGroups
}

/** What passes through, and how far groups are. */
export const stats: Feature<Needs, { traffic: Traffic }> = {
  name: 'stats',
  make: ({ config, runtime, store, brokerAddr, furniture, topics, groups, offsets, consumers }) => {
    const traffic = new Traffic(runtime.clock)
    return {
      gives: { traffic },
      tables: [traffic],
      routes: [
        ...progressRoutes({
          ...{ store, offsets, consumers, brokerAddr },
          topic: topic => topics.find(topic),
          brokerName: config.brokerName,
          clock: runtime.clock,
          consumeTps: (group, topic) => traffic.consumeTps(group, topic),
          pulledTo: (group, topic, queueId) => traffic.pulledTo(group, topic, queueId),
          groups: () => groups.all().keys(),
          topicPutTps: topic => traffic.topicPutTps(topic),
          isOrder: topic => topics.find(topic)?.order === true,
        }),
        ...runtimeRoutes({
          ...{ traffic, store, settings: config, clock: runtime.clock },
          diskRatio: () => diskRatio(runtime, config.storePathRootDir),
          heldPulls: () => furniture.gauge('heldPulls'),
          differing: consumers,
        }),
      ],
    }
  },
}

/** -1 where the machine does not tell. */
function diskRatio({ disk }: Runtime, path: string): number {
  try {
    return usedShare(disk.space(path))
  } catch {
    return -1
  }
}
