import { RemotingClient } from '@skua-mq/remoting'
import {
  configOf,
  type Event,
  EventHub,
  SimClock,
  SimMachine,
  SimNetwork,
  SimRandom,
  simRuntime,
} from '@skua-mq/runtime'
import { Broker, type BrokerConfig, brokerOptions } from '../../src/index.ts'
import { Peer, small } from '../world.ts'

/** A machine whose disk outlives its brokers, and clients on others. */
export class PopMachine {
  readonly clock = new SimClock()
  readonly random: SimRandom
  readonly events: Event[] = []
  readonly network: SimNetwork
  broker!: Broker
  private readonly machine: SimMachine
  private config: Partial<BrokerConfig>
  private boots = 0
  private cuts = 0

  constructor(seed: number, config: Partial<BrokerConfig> = {}) {
    this.random = new SimRandom(seed)
    this.config = config
    const { clock } = this
    this.network = new SimNetwork({ clock, random: this.random.fork() })
    this.machine = new SimMachine({ clock, network: this.network, random: this.random.fork() }, 'broker')
  }

  get runtime() {
    return { clock: this.clock }
  }

  get address(): string {
    return this.broker.brokerAddr
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.until(promise)
  }

  async boot(): Promise<void> {
    const events = new EventHub()
    events.subscribe(event => this.events.push(event))
    const runtime = this.machine.boot(events)
    const config = configOf(brokerOptions, { ...small, brokerName: 'broker-a', ...this.config })
    const facts = { pid: ++this.boots, bootId: `${this.cuts}`, startedAt: () => undefined, lockHolder: () => undefined }
    this.broker = new Broker({ config, runtime, facts, totalMemoryBytes: 2 ** 30 })
    await this.settle(this.broker.start())
  }

  /** From the next boot on. */
  change(config: Partial<BrokerConfig>): void {
    this.config = { ...this.config, ...config }
  }

  get disk() {
    return this.machine.disk
  }

  kill(): void {
    this.machine.kill()
  }

  powerCut(): void {
    this.machine.powerCut()
    this.cuts++
  }

  client(name: string): Peer {
    const { clock, network } = this
    const runtime = simRuntime({ seed: 2, host: `${name}-${this.boots}`, clock, network })
    return new Peer(this, new RemotingClient({ ...runtime, version: 485 }), name)
  }
}
