import { type Connection, type RemotingLimits, RemotingServer } from '@skua-mq/remoting'
import { type Address, defineEvent, every, type Runtime, type Service, type Timer } from '@skua-mq/runtime'
import { KvConfig } from './kv-config.ts'
import { RouteTable } from './route-table.ts'
import { nameServerRoutes } from './routes.ts'

export const brokerGone = defineEvent<{ brokerAddr: string; why: string }>('broker left the routes', 'info')

export interface NameServerOptions {
  readonly runtime: Runtime
  readonly listen: Address
  readonly kvConfigPath: string
  readonly orderMessageEnable: boolean
  readonly advertise?: (brokerAddr: string, asking: Connection) => string
  readonly limits?: Partial<RemotingLimits>
}

/** How often silent brokers are looked for (remoting.md 8). */
const scanMs = 10_000

/** A name server: routes in memory, KV configuration on disk. */
export class NameServer implements Service {
  readonly name = 'nameserver'
  private readonly routes = new RouteTable()
  private readonly kv: KvConfig
  private readonly server: RemotingServer
  private readonly options: NameServerOptions
  private timer: Timer | undefined

  constructor(options: NameServerOptions) {
    this.options = options
    const { runtime } = options
    this.kv = new KvConfig(runtime.disk, options.kvConfigPath)
    const watched = new WeakSet<Connection>()
    const routes = nameServerRoutes({
      routes: this.routes,
      kv: this.kv,
      now: () => runtime.clock.monotonic(),
      orderMessageEnable: () => options.orderMessageEnable,
      advertise: options.advertise ?? (addr => addr),
      registeredBy: connection => {
        if (watched.has(connection)) return
        watched.add(connection)
        connection.onClose(() => this.tell(this.routes.connectionClosed(connection.id), 'its connection closed'))
      },
    })
    this.server = new RemotingServer({
      ...runtime,
      name: 'nameserver',
      listen: [options.listen],
      routes,
      ...(options.limits ? { limits: options.limits } : {}),
    })
  }

  get address(): Address {
    return this.server.addresses[0] as Address
  }

  async start(): Promise<void> {
    this.kv.load()
    await this.server.start()
    this.timer = every(this.options.runtime.clock, scanMs, () =>
      this.tell(this.routes.expire(this.options.runtime.clock.monotonic()), 'silent for 120 s'),
    )
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    await this.server.stop()
  }

  private tell(gone: readonly string[], why: string): void {
    for (const brokerAddr of gone) this.options.runtime.events.emit(brokerGone({ brokerAddr, why }))
  }
}
