import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { QueueLocks } from './queue-locks.ts'
import { lockRoutes } from './routes.ts'

/** Queues that are consumed in order belong to one member at a time. */
export const locks: Feature<On<'runtime'>, { locks: QueueLocks }> = {
  name: 'locks',
  make: ({ runtime }) => {
    const table = new QueueLocks(runtime.clock)
    return { gives: { locks: table }, tables: [table], routes: lockRoutes(table) }
  },
}
