import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { ClientLimits } from './client-limits.ts'

/** What a client may ask for in a second, and how many connections an address may have. All of it is off by default. */
export const clientLimits: Feature<On<'config' | 'live' | 'runtime'>> = {
  name: 'client limits',
  make: ({ config, live, runtime }) => {
    const limits = new ClientLimits(config, { events: runtime.events, now: () => runtime.clock.monotonic() })
    live.onChange(() => limits.changed())
    return { gates: [limits], doors: [limits] }
  },
}
