import { totalmem } from 'node:os'
import { Broker, type BrokerConfig, brokerOptions, freePorts, type TopicPlan, topicPlans } from '@skua-mq/broker'
import type { Gateway, GatewayConfig } from '@skua-mq/gateway'
import { NameServer } from '@skua-mq/nameserver'
import { defaultLimits } from '@skua-mq/remoting'
import {
  type Clock,
  configOf,
  type Disk,
  didYouMean,
  EventHub,
  type Events,
  group,
  LinkedNet,
  MemoryDisk,
  NetError,
  NodeClock,
  NodeProcessFacts,
  nodeRuntime,
  type Runtime,
  type Service,
  type TlsClient,
  type TlsServer,
} from '@skua-mq/runtime'
import type { DashboardProcess } from './dashboard-process.ts'
import { connectionsBeside } from './descriptors.ts'
import { startFilterProcess } from './filter-process.ts'
import { gatewayOf } from './gateway.ts'
import { registryOf } from './registry.ts'

export interface StandaloneOptions {
  /** Broker port; 0 finds free ones. Default 10911. */
  readonly port?: number
  /** Name server port; default 9876, or a free one where `port` is 0. */
  readonly nameServerPort?: number
  /** Port for gRPC clients of RocketMQ 5; 0 finds a free one. Default: none is opened. */
  readonly grpcPort?: number
  /** Without it where somebody else has that port: nobody asked for this one. Default false: the start fails. */
  readonly grpcIsOptional?: boolean
  /** Keys of the gRPC endpoint (docs/options.md), over the defaults. */
  readonly grpc?: Partial<GatewayConfig>
  /** The web page for operators, in a process of its own: at any free port of 127.0.0.1, or at this one. Default: none. */
  readonly dashboard?: boolean | { readonly port: number }
  /** Address to listen on and to tell clients; default 127.0.0.1. */
  readonly host?: string
  /** 'memory', or a directory. */
  readonly store: string
  /** Default: this machine's. */
  readonly clock?: Clock
  readonly events?: Events
  /** Topics that are there before anybody connects: names, or `{ name, queues, type }`. Those of before get what is said. */
  readonly topics?: readonly (string | TopicPlan)[]
  /** RocketMQ's keys, over the defaults. */
  readonly config?: Partial<BrokerConfig>
  readonly runtime?: Partial<Runtime>
  /** Of both servers. Default: plain and TLS on one port, with a self-signed certificate. */
  readonly tls?: TlsServer | undefined
  /** From the broker to the name server. Default: plain, or any certificate where the name server takes only TLS. */
  readonly tlsClient?: TlsClient | undefined
}

const known: Readonly<Record<keyof StandaloneOptions, true>> = {
  ...{
    port: true,
    nameServerPort: true,
    grpcPort: true,
    grpcIsOptional: true,
    grpc: true,
    dashboard: true,
    host: true,
  },
  ...{ store: true, clock: true, events: true, topics: true, config: true, runtime: true, tls: true, tlsClient: true },
}

/** What JavaScript may give; throws a TypeError. */
function checkStandalone(options: StandaloneOptions): void {
  for (const name of Object.keys(options)) {
    if (name in known) continue
    throw new TypeError(`startStandalone has no option ${name}${didYouMean(name, Object.keys(known))}`)
  }
  if (typeof options.store !== 'string') throw new TypeError("startStandalone needs a store: 'memory', or a directory")
}

export interface StandaloneBroker {
  readonly name: string
  readonly address: string
  /** host:port of /metrics, where `metricsExporterType` is PROM. */
  readonly metrics?: string
}

export interface Standalone {
  /** For clients: host:port of the name server. */
  readonly namesrvAddr: string
  readonly brokers: readonly StandaloneBroker[]
  /** For gRPC clients: host:port; undefined without one. */
  readonly grpcAddr: string | undefined
  /** Where the dashboard is: `http://127.0.0.1:8090/`; undefined without one. */
  readonly dashboardUrl: string | undefined
  /** Pulls that wait for a message at the moment. */
  heldPulls(): number
  stop(): Promise<void>
  /** For an end that cannot wait for `stop`: saves what the broker's tables hold. */
  rescue(): void
}

const isAny = (host: string): boolean => host === '' || host === '0.0.0.0' || host === '::'
const ofMachine = (host: string): boolean => host === '127.0.0.1' || host === '::1'

const metricsOf = ({ metricsAt: at }: Broker) => (at === undefined ? {} : { metrics: `${at.host}:${at.port}` })

/** How often free ports are looked for that somebody else took before they were listened at. */
const maxStarts = 5

/** A name server and a broker in this process; no state is global, so several can live side by side. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  checkStandalone(options)
  for (let starts = 1; ; starts++) {
    try {
      return await startOnce(options)
    } catch (error) {
      const isTaken = error instanceof NetError && error.code === 'EADDRINUSE'
      if (!isTaken || options.port !== 0 || starts === maxStarts) throw error
    }
  }
}

function runtimeOf(options: StandaloneOptions): Runtime {
  const disk: Disk | undefined =
    options.store === 'memory' ? new MemoryDisk({ clock: options.clock ?? new NodeClock() }) : undefined
  const runtime: Runtime = {
    ...nodeRuntime(options.events ?? new EventHub()),
    ...(disk === undefined ? {} : { disk }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...options.runtime,
  }
  return options.grpcPort === undefined ? runtime : { ...runtime, net: new LinkedNet(runtime.net) }
}

async function startOnce(options: StandaloneOptions): Promise<Standalone> {
  const topics = topicPlans(options.topics ?? [], 'topics')
  const host = options.host ?? '127.0.0.1'
  const memory = options.store === 'memory'
  const runtime = runtimeOf(options)
  // Nobody can connect to "every address": clients are told one that can be reached, and loopback is told loopback.
  const told = isAny(host) ? (runtime.net.ownAddresses()[0] ?? '127.0.0.1') : host
  const root = memory ? '/memory' : options.store
  const ports = await portsOf(options, { runtime, host })
  const tls: TlsServer = options.tls ?? { mode: 'permissive' }
  const facts = new NodeProcessFacts()
  const { maxConnections, otherDescriptors } = besideBroker(options, facts.descriptorLimit)
  const config = brokerConfigOf(options, { host, root, ports, brokerIP1: told })
  const nameServer = new NameServer({
    runtime,
    limits: { maxConnections },
    tls,
    listen: { host, port: options.nameServerPort ?? ports.nameServer },
    kvConfigPath: `${root}/namesrv/kvConfig.json`,
    ...{ orderMessageEnable: false, dialect: config.dialect },
    // A client on loopback is told loopback for a broker of this process, whatever others are told.
    advertising: {
      view: asking => (ofMachine(asking.remote.host) ? asking.local.host : ''),
      address: (addr, view) => (view !== '' && addr === broker.brokerAddr ? `${view}:${ports.broker}` : addr),
    },
  })
  const broker = new Broker({
    config,
    runtime,
    facts,
    otherDescriptors,
    ...(memory ? { homeDisk: nodeRuntime().disk } : {}),
    bindAddress: host,
    totalMemoryBytes: totalmem(),
    storeAddress: await runtime.net.resolve(config.brokerIP1),
    startFilterProcess,
    registry: registryOf(config, nodeRuntime().disk),
    tls,
    tlsClient: options.tlsClient ?? (tls.mode === 'enforcing' ? { trust: 'any' } : undefined),
  })
  const gateway = await gatewayFor(options, { runtime, host, broker })
  const parts = group('standalone', [nameServer, broker, ...(gateway === undefined ? [] : [opened(gateway, options)])])
  await parts.start()
  if (topics.length > 0) await declared(broker, topics, parts)
  // Whoever embeds it is on this machine; others take the address of theirs that leads here.
  const namesrvAddr = `${isAny(host) ? '127.0.0.1' : host}:${nameServer.address.port}`
  const dashboard = await dashboardFor(options, { namesrvAddr, parts, tls })
  return {
    namesrvAddr,
    brokers: [{ name: config.brokerName, address: broker.brokerAddr, ...metricsOf(broker) }],
    grpcAddr: gateway?.isOpen ? `${isAny(host) ? '127.0.0.1' : host}:${gateway.address.port}` : undefined,
    dashboardUrl: dashboard?.url,
    heldPulls: () => broker.heldPulls,
    stop: async () => {
      await dashboard?.stop()
      await parts.stop()
    },
    rescue: () => broker.rescue(),
  }
}

function brokerConfigOf(
  { config, nameServerPort }: StandaloneOptions,
  { host, root, ports, brokerIP1 }: { host: string; root: string; ports: Ports; brokerIP1: string },
) {
  return configOf(brokerOptions, {
    ...{ brokerName: 'broker-a', brokerIP1, ...config },
    listenPort: ports.broker,
    namesrvAddr: `${isAny(host) ? '127.0.0.1' : host}:${nameServerPort ?? ports.nameServer}`,
    storePathRootDir: root,
  })
}

/** A crowd at the name server, or at the gRPC endpoint, takes nothing that the broker's files need. */
function besideBroker({ grpcPort }: StandaloneOptions, limit: number | undefined) {
  const maxConnections = connectionsBeside(limit, defaultLimits.maxConnections)
  return { maxConnections, otherDescriptors: grpcPort === undefined ? maxConnections : 2 * maxConnections }
}

type Ports = Awaited<ReturnType<typeof portsOf>>

const portsOf = async (options: StandaloneOptions, { runtime, host }: { runtime: Runtime; host: string }) =>
  options.port === 0
    ? freePorts(runtime.net, host)
    : { broker: options.port ?? 10911, nameServer: options.nameServerPort ?? 9876 }

/** What a start cannot declare ends it, as whatever else it cannot do. */
async function declared(broker: Broker, topics: readonly TopicPlan[], parts: Service): Promise<void> {
  try {
    await broker.declareTopics(topics)
  } catch (error) {
    await parts.stop()
    throw error
  }
}

/** What cannot start its dashboard does not start. */
async function dashboardFor(
  { dashboard, store }: StandaloneOptions,
  { namesrvAddr, parts, tls }: { readonly namesrvAddr: string; readonly parts: Service; readonly tls: TlsServer },
): Promise<DashboardProcess | undefined> {
  if (dashboard === undefined || dashboard === false) return undefined
  try {
    const { startDashboardProcess } = await import('./dashboard-process.ts')
    const port = dashboard === true ? 0 : dashboard.port
    const kept = store === 'memory' ? undefined : store
    return await startDashboardProcess({ namesrvAddr, port, store: kept, tls: tls.mode === 'enforcing' })
  } catch (error) {
    await parts.stop()
    throw error
  }
}

async function gatewayFor(
  { grpcPort, grpc, tls }: StandaloneOptions,
  { runtime, host, broker }: { runtime: Runtime; host: string; broker: Broker },
): Promise<Gateway | undefined> {
  if (grpcPort === undefined) return undefined
  const { gatewayOptions } = await import('@skua-mq/gateway')
  const { maxMessageSize, namesrvAddr } = broker.config
  const told = configOf(gatewayOptions, { maxMessageSize, ...grpc, grpcServerPort: grpcPort, grpcBindAddress: host })
  const grpcMaxConnections = connectionsBeside(new NodeProcessFacts().descriptorLimit, told.grpcMaxConnections)
  const config = Object.freeze({ ...told, grpcMaxConnections })
  return gatewayOf({ config, runtime, nameServers: [namesrvAddr], secretOf: broker.secretOf, tls })
}

/** The gateway as a part of the whole, which may do without it. */
function opened(gateway: Gateway, { grpcIsOptional = false }: StandaloneOptions): Service {
  const start = async () => {
    try {
      await gateway.start()
    } catch (error) {
      const isTaken = error instanceof NetError && error.code === 'EADDRINUSE'
      if (!isTaken || !grpcIsOptional) throw error
    }
  }
  return { name: gateway.name, start, stop: async () => (gateway.isOpen ? gateway.stop() : undefined) }
}
