import { pullMessage, ResponseCode, registerFilterServer, registerMessageFilterClass } from '@skua-mq/protocol'
import { ok, RemotingClient, RemotingServer, type Route, refuse, route } from '@skua-mq/remoting'
import { type Address, defineEvent, every, type Runtime, type Service, type Timer } from '@skua-mq/runtime'
import { NoFilter, type ScriptLimits } from './filter-limits.ts'
import { filteredPull } from './filtered-pull.ts'
import { Filters } from './filters.ts'

export const filterRefused = defineEvent<{ consumerGroup: string; topic: string; reason: string }>(
  'filter refused',
  'warn',
)

export interface FilterServerOptions extends ScriptLimits {
  readonly runtime: Runtime
  /** The broker it belongs to, host:port. */
  readonly brokerAddr: string
  /** Where it listens; port 0 for any free one. */
  readonly listen: Address
  /** Host that consumers are told. */
  readonly advertisedHost: string
  /** The broker does not answer any more: nobody needs this server. */
  readonly onAbandoned: (reason: string) => void
}

/** How often the broker is told (it forgets a filter server after 30 s). */
const registerPeriodMs = 10_000

/** Serves class-filter subscriptions of one broker (remoting.md 10.1): answers 302 and 11, and registers by 301. */
export class FilterServer implements Service {
  readonly name = 'filterserver'
  private readonly options: FilterServerOptions
  private readonly filters: Filters
  private readonly server: RemotingServer
  private readonly client: RemotingClient
  private timer: Timer | undefined
  private stopped = false

  constructor(options: FilterServerOptions) {
    const { runtime, callTimeoutMs, memoryBytes } = options
    this.options = options
    this.filters = new Filters({
      clock: runtime.clock,
      limits: { callTimeoutMs, memoryBytes },
      onRefused: ({ consumerGroup, topic }, reason) =>
        runtime.events.emit(filterRefused({ consumerGroup, topic, reason })),
    })
    this.client = new RemotingClient({ ...runtime, onGone: () => this.register() })
    this.server = new RemotingServer({ ...runtime, name: this.name, listen: [options.listen], routes: this.routes() })
  }

  /** What consumers are told. */
  get address(): string {
    const { advertisedHost } = this.options
    return `${advertisedHost.includes(':') ? `[${advertisedHost}]` : advertisedHost}:${this.server.addresses[0]?.port}`
  }

  async start(): Promise<void> {
    await this.server.start()
    this.timer = every(this.options.runtime.clock, registerPeriodMs, () => {
      this.filters.expire()
      return this.register()
    })
    await this.register()
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.server.stop()
    await this.filters.stop()
    await this.client.close()
  }

  private async register(): Promise<void> {
    if (this.stopped) return
    const { brokerAddr, onAbandoned } = this.options
    try {
      const reply = await this.client.request(brokerAddr, registerFilterServer, { filterServerAddr: this.address })
      if (reply.code === ResponseCode.success || this.stopped) return
      onAbandoned(`${brokerAddr} answers ${reply.code}: ${reply.remark ?? ''}`)
    } catch (error) {
      if (!this.stopped) onAbandoned(`${brokerAddr}: ${(error as Error).message}`)
    }
  }

  private routes(): Route[] {
    const { client, filters, options } = this
    return [
      route(registerMessageFilterClass, async ({ consumerGroup, topic, className }, { body }) => {
        try {
          await filters.register({ consumerGroup, topic, className, source: body })
          return ok({})
        } catch (error) {
          if (!(error instanceof NoFilter)) throw error
          return refuse(ResponseCode.systemError, error.message)
        }
      }),
      route(pullMessage, header => filteredPull(header, { client, brokerAddr: options.brokerAddr, filters })),
    ]
  }
}
