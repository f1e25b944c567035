import { isDeepStrictEqual } from 'node:util'
import { Language, parseAddress as parseIp, UniqueIds, unregisterClient } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { type Clock, every, NodeProcessFacts, type Runtime, type Timer } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import type { ClientSettings } from '../options.ts'
import { PendingReplies } from '../produce/pending-replies.ts'
import { NameServers } from '../route/name-servers.ts'
import { RouteDoubt } from '../route/route-doubt.ts'
import { RouteNews } from '../route/route-news.ts'
import { RouteTable } from '../route/route-table.ts'
import { BrokerCalls } from './broker-calls.ts'
import { Heartbeats } from './heartbeats.ts'
import { type ConsumerMember, Members, type ProducerMember } from './members.ts'
import { serverRequests } from './server-requests.ts'
import { signer } from './signer.ts'

const pid = new NodeProcessFacts().pid

/** What clients with one client id share: connections, routes, heartbeats, timers. It lives while one of them is open. */
export class ClientInstance {
  readonly clientId: string
  readonly runtime: Runtime
  readonly members = new Members()
  readonly remoting: RemotingClient
  readonly names: NameServers
  readonly routes: RouteTable
  readonly calls: BrokerCalls
  readonly heartbeats: Heartbeats
  readonly doubt: RouteDoubt
  readonly news: RouteNews
  readonly ids: UniqueIds
  readonly replies: PendingReplies
  private readonly settings: ClientSettings
  private starting: Promise<void> | undefined
  private timers: Timer[] = []

  constructor(clientId: string, settings: ClientSettings) {
    const { runtime } = settings
    this.clientId = clientId
    this.settings = settings
    this.runtime = runtime
    this.replies = new PendingReplies(runtime.clock)
    this.remoting = new RemotingClient({
      net: runtime.net,
      clock: runtime.clock,
      turn: runtime.turn,
      events: runtime.events,
      routes: serverRequests(this.members, this.replies),
      // 4.9 knows no name for Node.
      language: Language.other,
      connectTimeoutMs: settings.connectTimeoutMs,
      sign: requestHook(settings),
      tls: settings.tls,
      onGone: address => {
        this.heartbeats.connectionLost(address)
        this.doubt.unreached(address)
      },
      onUnreached: address => this.doubt.unreached(address),
    })
    this.names = new NameServers({
      remoting: this.remoting,
      clock: runtime.clock,
      random: runtime.random,
      addresses: settings.namesrvAddrs,
      endpoint: settings.namesrvEndpoint,
      timeoutMs: settings.callTimeoutMs,
    })
    this.routes = new RouteTable(this.names)
    const { remoting, routes, members } = this
    const timeoutMs = settings.callTimeoutMs
    this.calls = new BrokerCalls({ remoting, routes, timeoutMs })
    this.news = new RouteNews(this.clock)
    this.doubt = new RouteDoubt({
      ...{ clock: this.clock, random: runtime.random, routes, pollMs: settings.pollNameServerInterval },
      // A broker that has not heard of a group refuses its pulls.
      changed: async () => {
        await this.refreshRoutes()
        await this.heartbeats.beat()
        this.news.arrived()
      },
    })
    this.heartbeats = new Heartbeats({ clientId, members, routes, remoting, timeoutMs, clock: this.clock })
    this.ids = new UniqueIds({
      ip: parseIp(settings.clientIP) ?? Uint8Array.of(127, 0, 0, 1),
      pid,
      instance: runtime.random.int(0x7fff_ffff),
      counter: runtime.random.int(0x1_0000),
    })
  }

  /** Clients of one instance share connections, so that none of them may believe in another security. */
  refuseOtherTls({ tls }: ClientSettings): void {
    if (isDeepStrictEqual(tls, this.settings.tls)) return
    const message = `the clients of instance ${this.clientId} share connections and need the same tls option: give this one another instanceName`
    throw new ClientError('ARGUMENT', message)
  }

  get clock(): Clock {
    return this.runtime.clock
  }

  newId(): string {
    return this.ids.next(this.clock.now())
  }

  /** Once, however many clients share it. */
  start(): Promise<void> {
    this.starting ??= this.names.start().then(() => {
      const { pollNameServerInterval, heartbeatBrokerInterval } = this.settings
      this.timers = [
        every(this.clock, pollNameServerInterval, () => this.refreshRoutes()),
        every(this.clock, heartbeatBrokerInterval, () => this.heartbeats.beat()),
      ]
    })
    return this.starting
  }

  async stop(): Promise<void> {
    for (const timer of this.timers.splice(0)) timer.cancel()
    this.heartbeats.stop()
    this.names.stop()
    this.replies.stop()
    const asked = this.doubt.stop()
    await this.remoting.close()
    await asked
  }

  /** Routes of all used topics, at once; closes connections to brokers that no route names any more. */
  async refreshRoutes(): Promise<void> {
    const topics = this.members.topics()
    const before = new Set([...this.routes.addresses()].map(({ address }) => address))
    this.routes.retain(topics)
    await Promise.all([...topics].map(topic => this.refreshRoute(topic)))
    for (const { address } of this.routes.addresses()) before.delete(address)
    for (const gone of before) this.remoting.closeAddress(gone)
  }

  private async refreshRoute(topic: string): Promise<void> {
    try {
      await this.routes.refresh(topic)
    } catch (error) {
      this.members.emit('routeRefreshFailed', { topic, error })
    }
  }

  addProducer(member: ProducerMember): void {
    this.members.addProducer(member)
  }

  addConsumer(member: ConsumerMember): void {
    this.members.addConsumer(member)
  }

  async removeProducer(group: string): Promise<void> {
    if (this.members.producers.delete(group)) await this.unregister({ producerGroup: group })
  }

  async removeConsumer(group: string): Promise<void> {
    if (this.members.consumers.delete(group)) await this.unregister({ consumerGroup: group })
  }

  /** Tells all brokers; one that does not answer notices by the closed connection. */
  private async unregister(groups: { producerGroup?: string; consumerGroup?: string }): Promise<void> {
    const addresses = new Set([...this.routes.addresses()].map(({ address }) => address))
    const header = { clientID: this.clientId, ...groups }
    const told = [...addresses].map(address =>
      this.calls.ask(address, { spec: unregisterClient, header, timeoutMs: 1_000 }),
    )
    await Promise.allSettled(told)
  }
}

/** Adds what each request carries, and signs it. */
function requestHook(
  settings: ClientSettings,
): (command: { extFields: Record<string, string>; body?: Uint8Array | undefined }) => void {
  const sign = settings.credentials === undefined ? undefined : signer(settings.credentials)
  const { namespaceV2 } = settings
  return command => {
    if (namespaceV2 !== undefined) {
      command.extFields.nsd = 'true'
      command.extFields.ns = namespaceV2
    }
    sign?.(command)
  }
}

const shared = new WeakMap<Runtime, Map<string, { instance: ClientInstance; users: number }>>()

/** `<ip>@<instance>[@<unit>]`; without a given instance name one that nobody else has. */
export function clientIdOf(settings: ClientSettings, fallbackName?: string): string {
  const { clientIP, unitName, runtime } = settings
  const own = () => `${pid}#${runtime.clock.now()}${runtime.random.int(1_000_000)}`
  const instanceName = settings.instanceName ?? fallbackName ?? own()
  return `${clientIP}@${instanceName}${unitName === undefined ? '' : `@${unitName}`}`
}

/** The instance of this id, made if there is none. Give it back with `releaseInstance`. */
export function acquireInstance(clientId: string, settings: ClientSettings): ClientInstance {
  const instances = shared.get(settings.runtime) ?? new Map()
  shared.set(settings.runtime, instances)
  const found = instances.get(clientId)
  if (found !== undefined) {
    found.instance.refuseOtherTls(settings)
    found.users++
    return found.instance
  }
  const instance = new ClientInstance(clientId, settings)
  instances.set(clientId, { instance, users: 1 })
  return instance
}

/** The last user closes the connections. */
export async function releaseInstance(instance: ClientInstance): Promise<void> {
  const instances = shared.get(instance.runtime)
  const entry = instances?.get(instance.clientId)
  if (entry === undefined || entry.instance !== instance) throw new ClientError('STATE', 'this instance is closed')
  entry.users--
  if (entry.users > 0) return
  instances?.delete(instance.clientId)
  await instance.stop()
}
