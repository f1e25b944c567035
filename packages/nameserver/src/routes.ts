import type { Connection, Route } from '@skua-mq/remoting'
import { configRoutes } from './config-routes.ts'
import type { KvConfig } from './kv-config.ts'
import { kvRoutes } from './kv-routes.ts'
import type { LiveConfig } from './live-config.ts'
import { lookupRoutes } from './lookup-routes.ts'
import { registrationRoutes } from './registration-routes.ts'
import type { RouteTable } from './route-table.ts'

export interface NameServerParts {
  readonly routes: RouteTable
  readonly kv: KvConfig
  readonly config: LiveConfig
  /** Monotonic ms. */
  readonly now: () => number
  readonly orderMessageEnable: () => boolean
  /** What the asking connection is told for a broker's address: loopback for loopback (architecture, control plane). */
  readonly advertise: (brokerAddr: string, asking: Connection) => string
  /** A broker registered over this connection; when it closes, the broker goes. */
  readonly registeredBy: (connection: Connection, brokerAddr: string) => void
}

/** Everything a name server answers. Codes that are not here get 3, where 4.9 answers nothing at all. */
export function nameServerRoutes(parts: NameServerParts): Route[] {
  return [...registrationRoutes(parts), ...lookupRoutes(parts), ...kvRoutes(parts.kv), ...configRoutes(parts.config)]
}
