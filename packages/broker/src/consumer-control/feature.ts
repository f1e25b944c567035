import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { PendingResets } from '../offset/pending-resets.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { controlRoutes } from './routes.ts'
import { whoRoutes } from './who-routes.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'furniture'> & {
  topics: TopicTable
  groups: GroupTable
  consumers: ConsumerGroups
  offsets: OffsetTable
  resets: PendingResets
}

/** What tools do to consumers that run: resets, and questions that are passed on to them. */
export const consumerControl: Feature<Needs> = {
  name: 'consumer control',
  make: ({ config, runtime, store, furniture, topics, groups, consumers, offsets, resets }) => ({
    routes: [
      ...controlRoutes({
        ...{ store, offsets, consumers, resets, settings: config, brokerName: config.brokerName, clock: runtime.clock },
        wake: (topic, queueId) => furniture.offsetReset(topic, queueId),
        topic: topic => topics.find(topic),
        hasGroup: group => groups.find(group) !== undefined,
      }),
      ...whoRoutes({ consumers, offsets }),
    ],
  }),
}
