import { bloomParameters, encodeHost, type PendingTransaction } from '@skua-mq/protocol'
import { RemotingClient, type RemotingLimits, RemotingServer } from '@skua-mq/remoting'
import {
  type ConfigChanges,
  every,
  Failure,
  group,
  LiveConfig,
  type ProcessFacts,
  part,
  type Runtime,
  type Service,
  type Timer,
  type TlsClient,
  type TlsServer,
  usedShare,
} from '@skua-mq/runtime'
import { Store, type StoreNeeds } from '@skua-mq/store'
import { type BrokerConfig, brokerOptions } from './config/options.ts'
import { type Delivery, delivery } from './delivery.ts'
import { type Descriptors, descriptorsShared, shareDescriptors } from './descriptors.ts'
import { FilterBitmaps } from './filter/filter-bitmaps.ts'
import { FilterProcesses, type StartFilterProcess } from './filter-server/filter-processes.ts'
import { SlaveProgress } from './ha/slave-progress.ts'
import { hotRequests } from './hot-requests.ts'
import { Registration } from './registration/registration.ts'
import { type Replication, replication } from './replication.ts'
import { brokerRoutes } from './routes.ts'
import { specialQueues } from './special-queues.ts'
import { storeConfigOf } from './store-config.ts'
import { type BrokerTables, brokerTables } from './tables.ts'

export interface BrokerOptions {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly facts: ProcessFacts
  /** Address to listen on; default all, of both families. */
  readonly bindAddress?: string
  /** What brokerIP1 leads to where it is a host name; default: the first own address. */
  readonly storeAddress?: string | undefined
  /** Memory of the machine in bytes: what counts as hot is a share of it. */
  readonly totalMemoryBytes: number
  readonly limits?: Partial<RemotingLimits>
  /** Of both listeners; default: plain connections only. */
  readonly tls?: TlsServer | undefined
  /** Of connections to name servers; default: plain. */
  readonly tlsClient?: TlsClient | undefined
  /** Starts a filter server; needed where filterServerNums is not 0. */
  readonly startFilterProcess?: StartFilterProcess
  /** Keeps options that a tool changed (25) for the next start. */
  readonly keepConfig?: (changes: ConfigChanges) => void
}

/** How often silent members are looked for (remoting.md 4). */
const expiryScanMs = 10_000

/**
 * A broker: store, tables, two listeners, and the registration with the name servers. This file only puts the parts
 * together and says in which order they begin and end.
 */
export class Broker implements Service {
  readonly name = 'broker'
  readonly config: BrokerConfig
  readonly brokerAddr: string
  private readonly options: BrokerOptions
  private readonly store: Store
  private readonly tables: BrokerTables
  private readonly server: RemotingServer
  private readonly client: RemotingClient
  private readonly registration: Registration
  private readonly hot: ReturnType<typeof hotRequests>
  private readonly delivery: Delivery
  private readonly replication: Replication
  private readonly filterProcesses: Service
  private readonly parts: Service
  private readonly descriptors: Descriptors

  constructor(options: BrokerOptions) {
    const { runtime, totalMemoryBytes } = options
    const live = liveConfig(options)
    const config = live.values
    this.options = options
    this.config = config
    refuseImpossible(options)
    const ownAddress = runtime.net.ownAddresses()[0] ?? '127.0.0.1'
    const host = config.brokerIP1 || ownAddress
    // Records hold addresses only: where clients are told a name, they carry what it leads to.
    const storeHost = (encodeHost(host, config.listenPort) ??
      encodeHost(options.storeAddress ?? ownAddress, config.listenPort)) as Uint8Array
    this.brokerAddr = `${host}:${config.listenPort}`
    const bitmaps = filterBitmaps(config)
    const progress = new SlaveProgress(() => this.store.maxPhysicalOffset, config.haSlaveFallbehindMax)
    this.descriptors = descriptorsOf(options)
    this.store = this.storeOf(storeHost, { bitmaps, replicas: progress })
    this.tables = brokerTables({ config, runtime, store: this.store })
    bitmaps?.use(this.tables.consumerFilters)
    this.delivery = delivery({ config, runtime, store: this.store, tables: this.tables, storeHost })
    this.hot = hotRequests({
      steps: this.delivery.steps,
      config,
      runtime,
      store: this.store,
      tables: this.tables,
      storeHost,
      announced: () => this.announced(),
      totalMemoryBytes,
    })
    this.server = this.remotingServer({ live, storeHost })
    this.client = new RemotingClient({
      ...runtime,
      tls: options.tlsClient,
      onGone: address => this.registration.lost(address),
    })
    const { store, tables, client, brokerAddr } = this
    const { delays } = this.delivery
    this.replication = replication({
      config,
      runtime,
      store,
      tables,
      client,
      brokerAddr,
      delays,
      progress,
      bindAddress: bindOf(options),
    })
    this.registration = this.registrationOf()
    for (const table of [this.tables.topics, this.tables.filterServers])
      table.onChange(() => this.registration.changed())
    this.filterProcesses = filterProcesses(options, this)
    this.parts = this.inOrder()
    // The name servers hold permissions by topic, so this one is told to them as a change of the topics.
    live.onChange(changes => {
      if (changes.has('brokerPermission')) this.tables.topics.touch()
      if (changes.has('autoCreateTopicEnable')) this.tables.topics.followTemplate()
    })
  }

  private storeOf(storeHost: Uint8Array, further: Pick<StoreNeeds, 'bitmaps' | 'replicas'>): Store {
    const { options, config, descriptors } = this
    const { runtime, facts, totalMemoryBytes } = options
    const { maxOpenFiles } = descriptors
    return new Store(storeConfigOf(config, { storeHost, totalMemoryBytes, maxOpenFiles }), {
      ...runtime,
      facts,
      ...further,
      special: specialQueues(config),
    })
  }

  /** The two listeners, with all that this broker answers. */
  private remotingServer({
    live,
    storeHost,
  }: {
    live: ReturnType<typeof liveConfig>
    storeHost: Uint8Array
  }): RemotingServer {
    const { options, config, hot } = this
    const { runtime } = options
    const bind = bindOf(options)
    return new RemotingServer({
      ...runtime,
      name: config.brokerName,
      listen: [
        { host: bind, port: config.listenPort },
        { host: bind, port: config.listenPort - 2 },
      ],
      routes: [
        ...this.delivery.routes,
        ...brokerRoutes({
          config,
          live,
          runtime,
          store: this.store,
          tables: this.tables,
          announced: () => this.announced(),
          storeHost,
          brokerAddr: this.brokerAddr,
          hot,
          diskRatio: () => diskRatio(runtime, config.storePathRootDir),
        }),
      ],
      hot: hot.routes,
      tls: options.tls,
      limits: { ...limitsOf(config), ...options.limits, maxConnections: this.descriptors.maxConnections },
    })
  }

  get heldPulls(): number {
    return this.hot.held()
  }

  /** Undecided transactions, oldest first, with the time of the next check; default limit 1000. */
  pendingTransactions(limit?: number): Promise<PendingTransaction[]> {
    return this.delivery.pendingTransactions(limit)
  }

  /** The name servers know of the topics that are there now, and so will the next start. */
  private async announced(): Promise<void> {
    await this.tables.topics.settled()
    await this.registration.announce()
  }

  private registrationOf(): Registration {
    const { config } = this
    const { runtime } = this.options
    const addresses = config.namesrvAddr
      .split(';')
      .map(text => text.trim())
      .filter(text => text !== '')
    return new Registration({
      ...runtime,
      client: this.client,
      namesrvAddrs: () => addresses,
      identity: () => ({
        clusterName: config.brokerClusterName,
        brokerName: config.brokerName,
        brokerAddr: this.brokerAddr,
        brokerId: config.brokerRole === 'SLAVE' ? config.brokerId : 0,
        haServerAddr: `${config.brokerIP2 || this.brokerAddr.slice(0, this.brokerAddr.lastIndexOf(':'))}:${config.listenPort + 1}`,
      }),
      body: () => {
        const { topics, filterServers } = this.tables
        const dataVersion = topics.version.toJSON()
        return {
          filterServerList: filterServers.addresses,
          dataVersion,
          topics: topics.eachWith(config.brokerPermission),
        }
      },
      master: addresses => this.replication.learned(addresses),
      orderTopics: names => this.tables.topics.setOrdered(names),
      periodMs: config.registerNameServerPeriod,
      timeoutMs: config.registerBrokerTimeoutMills,
    })
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
    this.tables.save()
    this.delivery.save()
  }

  /** What begins first ends last. */
  private inOrder(): Service {
    const { store, tables, delivery, client, replication, server, hot, registration, filterProcesses } = this
    const { clock } = this.options.runtime
    let expiry: Timer | undefined
    return group('broker', [
      store,
      tables,
      delivery,
      part('client', { stop: () => client.close() }),
      replication,
      server,
      part('hot handlers', { stop: hot.stop }),
      part('expiry', {
        start: () => {
          expiry = every(clock, expiryScanMs, () => tables.expire())
        },
        stop: () => expiry?.cancel(),
      }),
      registration,
      filterProcesses,
    ])
  }
}

const bindOf = ({ bindAddress }: BrokerOptions): string => bindAddress ?? ''

const limitsOf = ({ maxCarryBytes, maxOwedBytes }: BrokerConfig): Partial<RemotingLimits> => ({
  maxCarryBytes,
  maxOwedBytes,
})

const descriptorsOf = ({ facts, config, limits }: BrokerOptions): Descriptors =>
  shareDescriptors({
    limit: facts.descriptorLimit,
    maxOpenFiles: config.maxOpenFiles,
    maxConnections: limits?.maxConnections ?? config.maxConnections,
  })

/** Before anything is made, so that a refusal leaves nothing behind. */
function refuseImpossible({ config, tls, startFilterProcess }: BrokerOptions): void {
  if (config.brokerRole === 'SLAVE' && config.brokerId <= 0) {
    const remark = `brokerRole=SLAVE: brokerId=${config.brokerId} is that of a master, a slave has one above 0`
    throw new Failure('ECONFIG', remark)
  }
  if (!/^[\w.:-]*$/.test(config.brokerIP1))
    throw new Failure('ECONFIG', `brokerIP1=${config.brokerIP1} is neither an IP address nor a host name`)
  if (tls?.mode === 'enforcing' && config.filterServerNums > 0)
    throw new Failure('ECONFIG', 'tls.server.mode=enforcing excludes filterServerNums: filter servers speak no TLS')
  if (config.filterServerNums > 0 && startFilterProcess === undefined) {
    const remark = `filterServerNums=${config.filterServerNums}: whoever embeds this broker starts no filter servers`
    throw new Failure('ECONFIG', remark)
  }
}

function liveConfig({ config, runtime, keepConfig }: BrokerOptions): LiveConfig<typeof brokerOptions> {
  return new LiveConfig({
    table: brokerOptions,
    config,
    guarded: () => config.configBlackList.split(';').map(key => key.trim()),
    now: () => runtime.clock.now(),
    keep: keepConfig,
  })
}

function filterProcesses(
  { config, runtime, bindAddress, startFilterProcess }: BrokerOptions,
  { brokerAddr }: { readonly brokerAddr: string },
): Service {
  const count = config.filterServerNums
  if (count === 0 || startFilterProcess === undefined) return group('no filter servers', [])
  const { filterCallTimeoutMs: callTimeoutMs, filterMemoryBytes: memoryBytes } = config
  const plan = { brokerAddr, bindAddress: bindAddress || '0.0.0.0', callTimeoutMs, memoryBytes }
  return new FilterProcesses({ ...runtime, count, plan, startProcess: startFilterProcess })
}

function filterBitmaps(config: BrokerConfig): FilterBitmaps | undefined {
  if (!config.enableCalcFilterBitMap) return undefined
  const { maxErrorRateOfBloomFilter: errorPercent, expectConsumerNumUseFilter: keys } = config
  return new FilterBitmaps(bloomParameters({ errorPercent, keys }))
}

/** -1 where the machine does not tell. */
function diskRatio({ disk }: Runtime, path: string): number {
  try {
    return usedShare(disk.space(path))
  } catch {
    return -1
  }
}
