import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { ConnectionMetrics } from './connection-metrics.ts'
import { ConsumerGroups } from './consumer-groups.ts'
import { GroupNews } from './group-news.ts'
import { KnownBefore } from './known-before.ts'
import { ProducerGroups } from './producer-groups.ts'
import { clientRoutes } from './routes.ts'

type Needs = On<'config' | 'dialect' | 'runtime' | 'furniture' | 'measures'> & {
  topics: TopicTable
  groups: GroupTable
}

/** Who is connected, and as what. */
export const clients: Feature<Needs, { consumers: ConsumerGroups; producers: ProducerGroups; before: KnownBefore }> = {
  name: 'clients',
  make: ({ config, dialect, runtime, furniture, measures, topics, groups }) => {
    const { clock, events } = runtime
    const news = new GroupNews(clock)
    const consumers = new ConsumerGroups({
      clock,
      events,
      notify: (group, newcomer) => {
        if (config.notifyConsumerIdsChangedEnable) news.tell(group, newcomer)
      },
    })
    const producers = new ProducerGroups(clock)
    const before = new KnownBefore({ groups, clock })
    return {
      gives: { consumers, producers, before },
      services: [before.service],
      tables: [consumers, producers],
      metrics: measures
        ? [new ConnectionMetrics({ consumers, producers, limit: config.metricsOtelCardinalityLimit })]
        : [],
      routes: clientRoutes({
        ...{ consumers, producers, groups, topics, clock, dialect },
        announced: () => furniture.announced(),
        refusalOf: subscription => furniture.refusalOf(subscription),
        subscribed: (group, subscription) => furniture.subscribed(group, subscription),
      }),
    }
  },
}
