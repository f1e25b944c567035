import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { ExpressionFilters } from '../filter/subscription-filters.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { consumeQueueRoutes } from './consume-queue-routes.ts'
import { queryRoutes } from './routes.ts'

/** Messages by key and by place, for tools. */
export const queries: Feature<On<'store'> & { consumers: ConsumerGroups; filters: ExpressionFilters }> = {
  name: 'queries',
  make: ({ store, consumers, filters }) => ({
    routes: [...queryRoutes(store), ...consumeQueueRoutes({ store, consumers, filters })],
  }),
}
