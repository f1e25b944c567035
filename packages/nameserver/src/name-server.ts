import { type Dialect, type DialectName, dialectOf } from '@skua-mq/protocol'
import { type Connection, type RemotingLimits, RemotingServer } from '@skua-mq/remoting'
import {
  type Address,
  type ConfigChanges,
  configOf,
  defineEvent,
  every,
  LiveConfig,
  type Runtime,
  type Service,
  type Timer,
  type TlsServer,
} from '@skua-mq/runtime'
import { type Advertising, asRegistered } from './advertising.ts'
import { KvConfig } from './kv-config.ts'
import { type NameServerConfig, nameServerOptions } from './options.ts'
import { RegistrationIntake } from './registration-intake.ts'
import { RouteTable } from './route-table.ts'
import { nameServerRoutes } from './routes.ts'
import { SecondAsks } from './second-asks.ts'

export const brokerCame = defineEvent<{ brokerAddr: string; by: string }>('broker entered the routes', 'info')
export const brokerGone = defineEvent<{ brokerAddr: string; why: string }>('broker left the routes', 'info')

/** Keys that nobody may change from afar: they name files of the server's machine (admin.md 1, code 318). */
const guarded = ['kvConfigPath', 'configStorePath', 'rocketmqHome', 'configBlackList']

export interface NameServerOptions {
  readonly runtime: Runtime
  readonly listen: Address
  readonly kvConfigPath: string
  readonly orderMessageEnable: boolean
  /** The options as they were read, for 319; default: the table's defaults with the members above. */
  readonly config?: NameServerConfig
  /** Keeps options that a tool changed (318) for the next start. */
  readonly keepConfig?: (changes: ConfigChanges) => void
  /** Default: addresses as the brokers registered them. */
  readonly advertising?: Advertising
  /** Default: what `config` says, else 4.9. */
  readonly dialect?: DialectName | undefined
  readonly limits?: Partial<RemotingLimits>
  /** Default: plain connections only. */
  readonly tls?: TlsServer | undefined
}

/** A name server: routes in memory, KV configuration on disk. */
export class NameServer implements Service {
  readonly name = 'nameserver'
  private readonly routes: RouteTable
  private readonly intake: RegistrationIntake
  private readonly kv: KvConfig
  private readonly server: RemotingServer
  private readonly options: NameServerOptions
  private readonly dialect: Dialect
  private timer: Timer | undefined
  /** As it is now. */
  readonly config: NameServerConfig

  constructor(options: NameServerOptions) {
    this.options = options
    const { runtime, listen, kvConfigPath, orderMessageEnable } = options
    const given = options.config ?? configOf(nameServerOptions, { listenPort: listen.port, kvConfigPath })
    const { maxRegisteredTopics: maxTopics, maxRegisteredBrokers: maxBrokers, maxKvBytes: maxBytes } = given
    this.kv = new KvConfig({ ...runtime, path: kvConfigPath, maxBytes })
    this.dialect = dialectOf(options.dialect ?? given.dialect)
    this.routes = new RouteTable({ maxTopics, loneNeedsFull: this.dialect.loneTopicRegistrationNeedsFullOne })
    const { clock } = runtime
    const secondAsks = new SecondAsks(clock)
    this.routes.onTopic = topic => secondAsks.came(topic)
    this.intake = new RegistrationIntake({ routes: this.routes, clock, limits: { maxTopics, maxBrokers } })
    const config = new LiveConfig({
      table: nameServerOptions,
      config: { ...given, orderMessageEnable },
      guarded: () => guarded,
      now: () => runtime.clock.now(),
      keep: options.keepConfig,
    })
    this.config = config.values
    const routes = nameServerRoutes({
      routes: this.routes,
      intake: this.intake,
      secondAsks,
      kv: this.kv,
      config,
      clock,
      dialect: this.dialect,
      now: () => runtime.clock.monotonic(),
      orderMessageEnable: () => config.values.orderMessageEnable,
      advertising: options.advertising ?? asRegistered,
      registeredBy: this.watcher(),
    })
    this.server = new RemotingServer({
      ...runtime,
      name: 'nameserver',
      listen: [listen],
      routes,
      dialect: this.dialect,
      tls: options.tls,
      ...(options.limits ? { limits: options.limits } : {}),
    })
  }

  /** A broker lives with the connection over which it registered. */
  private watcher(): (connection: Connection, brokerAddr: string) => void {
    const watched = new WeakSet<Connection>()
    return (connection, brokerAddr) => {
      if (watched.has(connection)) return
      watched.add(connection)
      const { host, port } = connection.remote
      this.options.runtime.events.emit(brokerCame({ brokerAddr, by: `${host}:${port}` }))
      connection.onClose(() => this.tell(this.routes.connectionClosed(connection.id), 'its connection closed'))
    }
  }

  get address(): Address {
    return this.server.addresses[0] as Address
  }

  async start(): Promise<void> {
    this.kv.load()
    await this.server.start()
    const { clock } = this.options.runtime
    this.timer = every(clock, this.dialect.nameServerScanMs, () =>
      this.tell(clock.leaps ? [] : this.routes.expire(clock.monotonic()), 'silent for 120 s'),
    )
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    await this.server.stop()
    await this.intake.stop()
    await this.kv.settled()
  }

  private tell(gone: readonly string[], why: string): void {
    if (gone.length > 0) this.intake.sweep()
    for (const brokerAddr of gone) this.options.runtime.events.emit(brokerGone({ brokerAddr, why }))
  }
}
