import type { PendingTransaction } from '@skua-mq/protocol'
import { RemotingServer } from '@skua-mq/remoting'
import { type Address, every, group, LiveConfig, part, type Service, type Timer } from '@skua-mq/runtime'
import type { Store } from '@skua-mq/store'
import { type BrokerConfig, brokerOptions } from './config/options.ts'
import { type Descriptors, descriptorsShared, shareDescriptors } from './descriptors.ts'
import { type BrokerOptions, refuseImpossible } from './embedding.ts'
import { type Furnished, furnish } from './features.ts'
import { buildGround } from './house/build-ground.ts'
import type { Ground } from './house/ground.ts'
import { tablesService } from './house/table.ts'
import type { OpenPop } from './pop/open-pops.ts'
import { declareTopics, type TopicPlan } from './topic/topic-plan.ts'

/** How often silent members are looked for (remoting.md 4). */
const expiryScanMs = 10_000

/**
 * A broker in one role: a store, two listeners, and what the features of `features.ts` add. This file only says in which
 * order the parts begin and end.
 */
export class BrokerLife implements Service {
  readonly name = 'broker'
  readonly config: BrokerConfig
  readonly brokerAddr: string
  private readonly options: BrokerOptions
  private readonly store: Store
  private readonly tables: Furnished
  private readonly parts: Service
  private readonly descriptors: Descriptors

  constructor(options: BrokerOptions, place: Pick<Ground, 'book' | 'election' | 'reopen' | 'isReopening'>) {
    refuseImpossible(options)
    const live = liveConfig(options)
    this.options = options
    this.config = live.values
    this.descriptors = descriptorsOf(options)
    const ground = buildGround(options, { ...place, live, descriptors: this.descriptors })
    this.brokerAddr = ground.brokerAddr
    this.store = ground.store
    this.tables = furnish(ground).context
    const server = this.server()
    this.tables.furniture.add({ gauges: { connections: () => server.connectionCount } })
    this.parts = this.inOrder(server)
  }

  /** The two listeners, with all that this broker answers. */
  private server(): RemotingServer {
    const { options, config } = this
    const { hot, routes, gates, fullGates, doors, observer, slow } = this.tables.furniture
    const { dialect } = this.tables
    const { maxCarryBytes, maxOwedBytes } = config
    const host = options.bindAddress ?? ''
    return new RemotingServer({
      ...options.runtime,
      name: config.brokerName,
      listen: [config.listenPort, config.listenPort - 2].map(port => ({ host, port })),
      ...{ hot, routes, gates, fullGates, doors, observer, slow, dialect, tls: options.tls },
      limits: { maxCarryBytes, maxOwedBytes, ...options.limits, maxConnections: this.descriptors.maxConnections },
    })
  }

  /** Secret keys of accounts; undefined without access control. For a gateway in this process: never shown or logged. */
  get secretOf(): ((accessKey: string) => string | undefined) | undefined {
    return this.tables.secretOf
  }

  get heldPulls(): number {
    return this.tables.furniture.gauge('heldPulls')
  }

  /** Where metrics are told (metricsExporterType=PROM); undefined where they are not. */
  get metricsAt(): Address | undefined {
    return this.tables.metricsAt()
  }

  /** Undecided transactions, oldest first, with the time of the next check; default limit 1000. */
  pendingTransactions(limit?: number): Promise<PendingTransaction[]> {
    return this.tables.pending(limit)
  }

  /** Messages that groups have popped and not acknowledged, at most `limit` (default 1000). */
  openPops(limit = 1000): OpenPop[] {
    return this.tables.openPops(limit)
  }

  /** Once it has started: topics that are to be there. Resolves when the name servers know them, too. */
  async declareTopics(plans: readonly TopicPlan[]): Promise<void> {
    await declareTopics(this.tables.topics, plans)
    await this.tables.furniture.announced()
  }

  /**
   * Recovery, tables, what delivers, listeners, registration: in this order, so that nobody is told of a broker that
   * cannot answer. A start that fails leaves nothing behind.
   */
  start(): Promise<void> {
    const { isShared, maxOpenFiles, maxConnections } = this.descriptors
    const { facts, runtime } = this.options
    const limit = facts.descriptorLimit ?? 0
    if (isShared) runtime.events.emit(descriptorsShared({ limit, maxOpenFiles, maxConnections }))
    return this.parts.start()
  }

  /** Leaves the name servers, answers what is held, closes connections, then flushes and unlocks. */
  stop(): Promise<void> {
    return this.parts.stop()
  }

  /** For an end that cannot wait for a stop: what the tables hold is saved. Errors are events. */
  rescue(): void {
    for (const table of this.tables.furniture.tables) table.save?.()
  }

  /** What begins first ends last. */
  private inOrder(server: RemotingServer): Service {
    const { client, furniture } = this.tables
    const { clock } = this.options.runtime
    let expiry: Timer | undefined
    const expire = () => {
      for (const table of furniture.tables) table.expire?.()
    }
    return group('broker', [
      ...furniture.around,
      this.store,
      tablesService(furniture.tables),
      part('client', { stop: () => client.close() }),
      ...furniture.services,
      server,
      ...furniture.presence,
      part('expiry', {
        start: () => {
          expiry = every(clock, expiryScanMs, expire)
        },
        stop: () => expiry?.cancel(),
      }),
    ])
  }
}

const descriptorsOf = ({ facts, config, limits, otherDescriptors }: BrokerOptions): Descriptors =>
  shareDescriptors({
    limit: facts.descriptorLimit,
    others: otherDescriptors,
    maxOpenFiles: config.maxOpenFiles,
    maxConnections: limits?.maxConnections ?? config.maxConnections,
  })

function liveConfig({ config, runtime, keepConfig }: BrokerOptions): LiveConfig<typeof brokerOptions> {
  return new LiveConfig({
    table: brokerOptions,
    config,
    guarded: () => config.configBlackList.split(';').map(key => key.trim()),
    now: () => runtime.clock.now(),
    keep: keepConfig,
  })
}
