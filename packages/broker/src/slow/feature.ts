import { part } from '@skua-mq/runtime'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { SlowRequests } from './slow-requests.ts'

/** A line in the log for a request that took long, with what it waited for. */
export const slowRequests: Feature<On<'config' | 'live' | 'runtime'>> = {
  name: 'slow requests',
  make: ({ config, live, runtime }) => {
    const slow = new SlowRequests(config, runtime)
    live.onChange(() => slow.follow())
    return {
      slow,
      services: [part('slow requests', { start: () => slow.follow(), stop: () => slow.stop() })],
    }
  },
}
