import { consumerFilterFile } from '@skua-mq/protocol'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { ConsumerFilters } from './consumer-filters.ts'
import { ExpressionFilters } from './subscription-filters.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'file' | 'bitmaps'> & { consumers: ConsumerGroups }

/** What of a topic a group wants: tags and SQL92. */
export const filters: Feature<Needs, { filters: ExpressionFilters }> = {
  name: 'filters',
  make: ({ config, runtime, store, file, bitmaps, consumers }) => {
    const table = new ConsumerFilters({
      ...runtime,
      file: file('consumerFilter', consumerFilterFile),
      bloom: { errorPercent: config.maxErrorRateOfBloomFilter, keys: config.expectConsumerNumUseFilter },
      logEnd: () => store.maxPhysicalOffset,
      subscription: (group, topic) => consumers.subscription(group, topic),
    })
    bitmaps?.use(table)
    const expressions = new ExpressionFilters(config, table)
    return {
      gives: { filters: expressions },
      tables: [table],
      refusalOf: subscription => expressions.refusalOf(subscription),
      subscribed: (group, subscription) => table.register(group, subscription),
    }
  },
}
