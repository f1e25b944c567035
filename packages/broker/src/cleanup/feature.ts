import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { cleanupRoutes } from './routes.ts'

/** What goes from the store when a topic goes, and when an administrator does not want to wait. */
export const cleanup: Feature<On<'store' | 'runtime'> & { topics: TopicTable }> = {
  name: 'cleanup',
  make: ({ store, runtime, topics }) => ({
    routes: cleanupRoutes({ store, clock: runtime.clock, hasTopic: topic => topics.find(topic) !== undefined }),
    topicDeleted: topic => store.deleteTopic(topic),
  }),
}
