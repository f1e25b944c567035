import { Broker, type BrokerConfig, brokerOptions, MemoryRegistry } from '@skua-mq/broker'
import { NameServer } from '@skua-mq/nameserver'
import { pullMessage, sendMessageV2 } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { configOf, type Event, EventHub, type SimRuntime, simRuntime } from '@skua-mq/runtime'

const small = {
  storePathRootDir: '/store',
  mappedFileSizeCommitLog: 64 * 1024,
  mappedFileSizeConsumeQueue: 6000,
  maxHashSlotNum: 50,
  maxIndexNum: 100,
  brokerName: 'broker-a',
}

export type Role = 'master' | 'slave' | 'further'

const roles: Readonly<Record<Role, Partial<BrokerConfig>>> = {
  master: {},
  slave: { brokerRole: 'SLAVE', brokerId: 1 },
  further: { brokerRole: 'SLAVE', brokerId: 2 },
}

/** A name server, a master and its slaves, each on a machine of its own, and a client. */
export class Cluster {
  readonly events: Event[] = []
  private readonly first = simRuntime({ seed: 1, host: 'names' })
  private readonly machines = new Map<Role, SimRuntime>()
  private readonly brokers = new Map<Role, Broker>()
  private readonly names: NameServer
  private readonly client: RemotingClient
  private registry: MemoryRegistry | undefined
  /** Brokers whom the registry does not answer. */
  readonly cutOff = new Set<Role>()

  constructor() {
    this.names = new NameServer({
      runtime: this.first,
      listen: { host: '0.0.0.0', port: 9876 },
      kvConfigPath: '/names/kvConfig.json',
      orderMessageEnable: false,
    })
    this.client = new RemotingClient(this.machine('client'))
  }

  machine(host: string): SimRuntime {
    const events = new EventHub()
    events.subscribe(event => this.events.push(event))
    // Members of an election are told apart by a random name.
    const seed = this.registry === undefined ? 2 : 2 + this.machines.size
    return simRuntime({ seed, host, events, clock: this.first.clock, network: this.first.network })
  }

  /** The disk of a role that was started. */
  disk(role: Role) {
    return this.machines.get(role)!.disk
  }

  get clock() {
    return this.first.clock
  }

  get network() {
    return this.first.network
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.until(promise)
  }

  /** From here on brokers choose their master themselves. */
  elects(): this {
    this.registry = new MemoryRegistry(this.clock)
    return this
  }

  async start(): Promise<this> {
    await this.settle(this.names.start())
    return this
  }

  /** On the machine of the role, whose disk stays. */
  async startBroker(role: Role, changes: Partial<BrokerConfig> = {}): Promise<void> {
    const runtime = this.machines.get(role) ?? this.machine(role)
    this.machines.set(role, runtime)
    const namesrvAddr = `${this.network.addressOf('names')}:9876`
    const config = configOf(brokerOptions, {
      ...small,
      ...roles[role],
      namesrvAddr,
      ...changes,
    } as Partial<BrokerConfig>)
    const facts = { pid: 1, bootId: role, startedAt: () => undefined, lockHolder: () => undefined }
    const registry = this.registry?.view(() => this.cutOff.has(role))
    const broker = new Broker({ config, runtime, facts, totalMemoryBytes: 2 ** 30, registry })
    await this.settle(broker.start())
    this.brokers.set(role, broker)
  }

  async stopBroker(role: Role): Promise<void> {
    const broker = this.brokers.get(role)
    this.brokers.delete(role)
    if (broker !== undefined) await this.settle(broker.stop())
  }

  async stop(): Promise<void> {
    await this.settle(this.client.close())
    for (const role of [...this.brokers.keys()]) await this.stopBroker(role)
    await this.settle(this.names.stop())
  }

  pass(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms)
  }

  address(role: Role): string {
    return `${this.network.addressOf(role)}:10911`
  }

  send(role: Role, body: string, further: { topic?: string; properties?: string } = {}) {
    const header = {
      ...{ producerGroup: 'p', topic: 'T', defaultTopic: 'TBW102', defaultTopicQueueNums: 1, queueId: 0, sysFlag: 0 },
      ...{ bornTimestamp: this.clock.now(), flag: 0, properties: '', reconsumeTimes: 0, unitMode: false, batch: false },
      ...further,
    }
    const options = { body: Buffer.from(body), timeoutMs: 20_000 }
    return this.settle(this.client.request(this.address(role), sendMessageV2, header, options))
  }

  async pull(role: Role, offset = 0, topic = 'T') {
    const header = { consumerGroup: 'g', topic, queueId: 0, queueOffset: offset, maxMsgNums: 32, sysFlag: 4 }
    const further = {
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subVersion: 1,
      subscription: '*',
      expressionType: 'TAG',
    }
    return this.settle(this.client.request(this.address(role), pullMessage, { ...header, ...further }))
  }

  ask<Q extends Parameters<RemotingClient['request']>[1]>(
    role: Role | 'names',
    spec: Q,
    header: never,
    body?: Record<string, unknown> | Uint8Array,
  ) {
    const address = role === 'names' ? `${this.network.addressOf('names')}:9876` : this.address(role)
    const bytes = body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
    return this.settle(this.client.request(address, spec, header, bytes && { body: bytes }))
  }
}

/** The bodies of the records that a pull answered. */
export const bodies = (records: Uint8Array | undefined): string[] => {
  const bytes = Buffer.from(records ?? [])
  const all: string[] = []
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at)) {
    const length = bytes.readInt32BE(at + 84)
    all.push(bytes.toString('utf8', at + 88, at + 88 + length))
  }
  return all
}
