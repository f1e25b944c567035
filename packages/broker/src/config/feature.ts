import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { configRoutes } from './routes.ts'

/** The configuration, read and changed by tools. */
export const configuration: Feature<On<'live'>> = {
  name: 'configuration',
  make: ({ live }) => ({ routes: configRoutes(live) }),
}
