import { totalmem } from 'node:os'
import { Broker, type BrokerConfig, brokerOptions, type FreePorts, type OpenPop, type TopicPlan } from '@skua-mq/broker'
import { NameServer } from '@skua-mq/nameserver'
import type { PendingTransaction } from '@skua-mq/protocol'
import { configOf, nodeRuntime } from '@skua-mq/runtime'
import type { ServerLife } from './life.ts'

const host = '127.0.0.1'

export interface ServersParts {
  readonly ports: FreePorts
  /** Directory of the store. */
  readonly root: string
  readonly config: Partial<BrokerConfig>
  /** The machine of a life that begins. */
  readonly life: (server: 'broker' | 'name server') => ServerLife
}

/** The kit's defaults where RocketMQ's are for machines: less memory is taken, and nothing is told of slow calls. */
const small: Partial<BrokerConfig> = {
  mappedFileSizeCommitLog: 8 * 1024 * 1024,
  mappedFileSizeConsumeQueue: 20 * 10_000,
  maxHashSlotNum: 10_000,
  maxIndexNum: 40_000,
  logRingBytes: 4 * 1024 * 1024,
  queueBlockBytes: 4 * 1024 * 1024,
  defaultTopicQueueNums: 4,
  maxPullHoldMs: 7 * 24 * 3_600_000,
  slowRequestMs: 0,
}

/** A name server that lasts, and one life of a broker after another. */
export class Servers {
  readonly config: BrokerConfig
  private readonly parts: ServersParts
  private nameServer: NameServer | undefined
  private nameLife: ServerLife | undefined
  private broker: Broker | undefined
  private life: ServerLife | undefined

  constructor(parts: ServersParts) {
    this.parts = parts
    const { ports, root, config } = parts
    this.config = configOf(brokerOptions, {
      ...small,
      brokerName: 'broker-a',
      brokerIP1: host,
      ...config,
      listenPort: ports.broker,
      namesrvAddr: this.namesrvAddr,
      storePathRootDir: root,
    } as Partial<BrokerConfig>)
  }

  get namesrvAddr(): string {
    return `${host}:${this.parts.ports.nameServer}`
  }

  get brokerAddr(): string {
    return `${host}:${this.parts.ports.broker}`
  }

  get isUp(): boolean {
    return this.broker !== undefined
  }

  async start(): Promise<void> {
    this.nameLife = this.parts.life('name server')
    this.nameServer = new NameServer({
      runtime: this.nameLife.runtime,
      listen: { host, port: this.parts.ports.nameServer },
      kvConfigPath: `${this.parts.root}/namesrv/kvConfig.json`,
      orderMessageEnable: false,
      dialect: this.config.dialect,
    })
    await this.nameServer.start()
    await this.startBroker()
  }

  async startBroker(): Promise<void> {
    if (this.broker !== undefined) return
    const life = this.parts.life('broker')
    const broker = new Broker({
      config: this.config,
      runtime: life.runtime,
      facts: life.facts,
      bindAddress: host,
      totalMemoryBytes: Math.min(totalmem(), 2 ** 31),
      storeAddress: host,
      homeDisk: nodeRuntime().disk,
    })
    try {
      await broker.start()
    } catch (error) {
      await life.kill()
      throw error
    }
    this.broker = broker
    this.life = life
  }

  /** As a service manager stops it. */
  async stopBroker(): Promise<void> {
    const { broker, life } = this
    this.broker = undefined
    await broker?.stop()
    await life?.kill()
  }

  /** kill -9: what was written is there, whether it was synced or not. */
  async killBroker(): Promise<void> {
    this.broker = undefined
    await this.life?.kill()
  }

  /** Throws where the broker is not up. */
  async declareTopics(plans: readonly TopicPlan[]): Promise<void> {
    if (this.broker === undefined) throw new Error('the broker is not up: start() it first')
    await this.broker.declareTopics(plans)
  }

  /** What tables hold is written down, as a clean stop does it. */
  saveTables(): void {
    this.broker?.rescue()
  }

  pendingTransactions(limit: number): Promise<PendingTransaction[]> {
    return this.broker?.pendingTransactions(limit) ?? Promise.resolve([])
  }

  openPops(limit: number): OpenPop[] {
    return this.broker?.openPops(limit) ?? []
  }

  async stop(): Promise<void> {
    await this.stopBroker()
    await this.nameServer?.stop()
    await this.nameLife?.kill()
  }
}
