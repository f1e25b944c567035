import type { Dialect } from '@skua-mq/protocol'
import type { Connection } from '@skua-mq/remoting'
import type { Clock, LiveConfig } from '@skua-mq/runtime'
import type { Advertising } from './advertising.ts'
import type { KvConfig } from './kv-config.ts'
import type { nameServerOptions } from './options.ts'
import type { RegistrationIntake } from './registration-intake.ts'
import type { RouteTable } from './route-table.ts'
import type { SecondAsks } from './second-asks.ts'

/** What the handlers of a name server take. */
export interface NameServerParts {
  readonly routes: RouteTable
  readonly intake: RegistrationIntake
  readonly secondAsks: SecondAsks
  readonly kv: KvConfig
  readonly config: LiveConfig<typeof nameServerOptions>
  readonly clock: Pick<Clock, 'after'>
  readonly dialect: Pick<Dialect, 'routeHasActingMaster'>
  /** Monotonic ms. */
  readonly now: () => number
  readonly orderMessageEnable: () => boolean
  /** Loopback is told loopback (architecture, control plane). */
  readonly advertising: Advertising
  /** A broker registered over this connection; when it closes, the broker goes. */
  readonly registeredBy: (connection: Connection, brokerAddr: string) => void
}
