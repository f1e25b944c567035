import {
  type BodyOf,
  type HeaderOf,
  heartBeat,
  printProperties,
  type RequestSpec,
  type SubscriptionData,
  sendBatchMessage,
  sendMessageV2,
  subscriptionData,
} from '@skua-mq/protocol'
import { RemotingClient, type Route, type TypedReply } from '@skua-mq/remoting'
import { configOf, type Event, EventHub, type SimRuntime, simRuntime } from '@skua-mq/runtime'
import { Broker, type BrokerConfig, brokerOptions } from '../src/index.ts'

/** Of a broker whose files are few and small. */
export const small = {
  storePathRootDir: '/store',
  mappedFileSizeCommitLog: 1024 * 1024,
  mappedFileSizeConsumeQueue: 6000,
  maxHashSlotNum: 50,
  maxIndexNum: 100,
}

/** A broker on a simulated machine and clients on others: real frames, real store, no time but the simulated one. */
export class World {
  readonly runtime: SimRuntime
  readonly events: Event[] = []
  broker!: Broker
  private readonly config: Partial<BrokerConfig>
  private readonly clients: RemotingClient[] = []

  constructor(config: Partial<BrokerConfig> = {}) {
    const hub = new EventHub()
    hub.subscribe(event => this.events.push(event))
    this.runtime = simRuntime({ seed: 1, host: 'broker', events: hub })
    this.config = config
  }

  async start(): Promise<this> {
    const config = configOf(brokerOptions, { ...small, brokerName: 'broker-a', ...this.config })
    const facts = { pid: 1, bootId: 'boot', startedAt: () => undefined, lockHolder: () => undefined }
    this.broker = new Broker({ config, runtime: this.runtime, facts, totalMemoryBytes: 2 ** 30 })
    await this.settle(this.broker.start())
    return this
  }

  async stop(): Promise<void> {
    for (const client of this.clients) await this.settle(client.close())
    await this.settle(this.broker.stop())
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.runtime.clock.until(promise)
  }

  pass(ms: number): Promise<void> {
    return this.runtime.clock.advanceAsync(ms)
  }

  get address(): string {
    return this.broker.brokerAddr
  }

  /** A machine of its own; `routes` is what the broker may ask of it. */
  client(name: string, routes: Route[] = [], version = 409): Peer {
    const { clock, network } = this.runtime
    const runtime = simRuntime({ seed: 2, host: name, clock, network })
    const remoting = new RemotingClient({ ...runtime, routes, version })
    this.clients.push(remoting)
    return new Peer(this, remoting, name)
  }
}

export interface Sending {
  readonly queueId?: number
  readonly properties?: Record<string, string>
  readonly sysFlag?: number
  readonly defaultTopic?: string
  readonly reconsumeTimes?: number
}

/** Where a client lives. */
export interface PeerWorld {
  readonly runtime: { readonly clock: { now(): number } }
  readonly address: string
  settle<T>(promise: Promise<T>): Promise<T>
}

/** One client of the broker. */
export class Peer {
  readonly world: PeerWorld
  readonly remoting: RemotingClient
  readonly clientId: string

  constructor(world: PeerWorld, remoting: RemotingClient, clientId: string) {
    this.world = world
    this.remoting = remoting
    this.clientId = clientId
  }

  ask<Q extends RequestSpec<never, never, never, never> | RequestSpec>(
    spec: Q,
    header: HeaderOf<Q>,
    body?: BodyOf<Q> | Uint8Array,
    extra?: Record<string, string>,
  ) {
    const codec = (spec as RequestSpec).body
    const bytes = body instanceof Uint8Array || body === undefined ? body : codec!.encode(body)
    return this.world.settle(
      this.remoting.request(this.world.address, spec, header, {
        body: bytes as Uint8Array,
        timeoutMs: 60_000,
        ...(extra === undefined ? {} : { extra }),
      }),
    )
  }

  send(
    topic: string,
    body: string,
    { queueId = 0, properties = {}, sysFlag = 0, defaultTopic = 'TBW102', reconsumeTimes = 0 }: Sending = {},
  ) {
    const header = {
      producerGroup: 'producers',
      topic,
      defaultTopic,
      defaultTopicQueueNums: 4,
      queueId,
      sysFlag,
      bornTimestamp: this.world.runtime.clock.now(),
      flag: 0,
      properties: printProperties(Object.entries(properties)),
      reconsumeTimes,
      unitMode: false,
      batch: false,
    }
    return this.ask(sendMessageV2, header, Buffer.from(body))
  }

  /** Sends a batch as `encodeBatch` makes it. */
  sendBatch(topic: string, batch: Uint8Array, properties: Record<string, string> = {}) {
    const header = {
      producerGroup: 'producers',
      topic,
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: 4,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: this.world.runtime.clock.now(),
      flag: 0,
      properties: printProperties(Object.entries(properties)),
      reconsumeTimes: 0,
      unitMode: false,
      batch: true,
    }
    return this.ask(sendBatchMessage, header, batch)
  }

  /** Announces a consumer of a group, with a subscription per topic. */
  consume(
    group: string,
    wanted: readonly (SubscriptionData | string)[],
    messageModel: 'CLUSTERING' | 'BROADCASTING' = 'CLUSTERING',
  ): Promise<TypedReply<typeof heartBeat>> {
    const subscriptionDataSet = wanted.map(each =>
      typeof each === 'string' ? subscriptionData({ topic: each, expression: '*', subVersion: 1 })! : each,
    )
    const consumer = {
      groupName: group,
      consumeType: 'CONSUME_PASSIVELY' as const,
      messageModel,
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET' as const,
      subscriptionDataSet,
      unitMode: false,
    }
    return this.ask(heartBeat, {}, { clientID: this.clientId, consumerDataSet: [consumer], producerDataSet: [] })
  }

  produce(group: string): Promise<TypedReply<typeof heartBeat>> {
    return this.ask(
      heartBeat,
      {},
      { clientID: this.clientId, consumerDataSet: [], producerDataSet: [{ groupName: group }] },
    )
  }
}

/** What a broker is made of at the moment. */
export const insideOf = <Parts>(broker: Broker): Parts => (broker as unknown as { life: Parts }).life
