import type { Route } from '@skua-mq/remoting'
import { configRoutes } from './config-routes.ts'
import { kvRoutes } from './kv-routes.ts'
import { lookupRoutes } from './lookup-routes.ts'
import type { NameServerParts } from './parts.ts'
import { registrationRoutes } from './registration-routes.ts'

/** Everything a name server answers. Codes that are not here get 3, where 4.9 answers nothing at all. */
export function nameServerRoutes(parts: NameServerParts): Route[] {
  return [...registrationRoutes(parts), ...lookupRoutes(parts), ...kvRoutes(parts.kv), ...configRoutes(parts.config)]
}
