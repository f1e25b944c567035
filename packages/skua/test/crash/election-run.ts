import assert from 'node:assert/strict'
import { Broker, type BrokerConfig, brokerOptions, MemoryRegistry } from '@skua-mq/broker'
import { NameServer } from '@skua-mq/nameserver'
import { configOf, EventHub, SimClock, SimMachine, SimNetwork, SimRandom, simRuntime } from '@skua-mq/runtime'
import { breakDisk } from './broken-disk.ts'
import { smallBroker } from './broker-run.ts'
import { FlakyRegistry } from './flaky-registry.ts'
import { Traffic } from './traffic.ts'

const hosts = ['one', 'two', 'three'] as const
type Host = (typeof hosts)[number]

interface Running {
  readonly broker: Broker
  readonly registry: FlakyRegistry
}

/**
 * One seeded history of three brokers that choose their master, amid partitions, one-sided loss of the registry, broken disks, stops, kills
 * and power cuts. The producer sends to whoever says that it is the master, to one that was, and to slaves. At last all is healed: what a
 * SYNC_MASTER acknowledged with 0 must be there, whoever is the master then.
 */
export class ElectionRun {
  protected readonly clock = new SimClock()
  private readonly random: SimRandom
  private readonly network: SimNetwork
  protected readonly machines: Readonly<Record<Host, SimMachine>>
  protected readonly names: NameServer
  protected readonly traffic: Traffic
  private readonly registry: MemoryRegistry
  protected readonly running = new Map<Host, Running>()
  /** What the brokers told, of whatever kind. */
  readonly events = new EventHub()
  /** How often somebody was elected. */
  elections = 0
  private target: Host = 'one'
  protected readonly cuts: Record<Host, number> = { one: 0, two: 0, three: 0 }
  /** The last machine that lost its power, until its slave has caught up: of two that have lost it nobody has all. */
  private lacking: Host | undefined

  constructor(seed: number) {
    this.random = new SimRandom(seed)
    const { clock, random } = this
    this.network = new SimNetwork({ clock, random: random.fork() })
    const { network } = this
    const machine = (name: string) => new SimMachine({ clock, network, random }, name)
    this.machines = { one: machine('one'), two: machine('two'), three: machine('three') }
    this.registry = new MemoryRegistry(clock)
    this.names = new NameServer({
      runtime: simRuntime({ seed: 1, host: 'names', clock, network }),
      listen: { host: '0.0.0.0', port: 9876 },
      kvConfigPath: '/names/kvConfig.json',
      orderMessageEnable: false,
    })
    this.traffic = new Traffic({ clock, network, random, host: 'one' })
    this.events.subscribe(({ name }) => {
      if (name === 'this broker holds the lease of the master of its name') this.elections++
    })
  }

  async run(): Promise<void> {
    await this.clock.until(this.names.start())
    for (const host of hosts) await this.boot(host)
    await this.traffic.begin('one', { runsOn: false })
    await this.traffic.send()
    await this.clock.advanceAsync(35_000)
    await this.work()
    await this.heal()
    const master = this.masters()[0]
    assert.ok(master !== undefined, 'in the end there is a master')
    assert.equal(this.masters().length, 1, 'in the end there is one master')
    await this.sendTo(master)
    await this.traffic.beat()
    await this.clock.advanceAsync(120_000)
    await this.traffic.consume(100)
    await this.traffic.drain()
    this.traffic.check()
    await this.traffic.close()
    for (const { broker } of this.running.values()) await this.clock.until(broker.stop())
    await this.clock.until(this.names.stop())
  }

  private async heal(): Promise<void> {
    this.network.healAll()
    this.lacking = undefined
    for (const host of hosts) {
      this.machines[host].disk.faults.clear()
      if (!this.running.has(host)) await this.boot(host)
      const { registry } = this.running.get(host)!
      registry.isCutOff = false
      registry.lossChance = 0
    }
    await this.clock.advanceAsync(60_000)
  }

  protected masters(): Host[] {
    return hosts.filter(host => (this.running.get(host)?.broker.config.brokerRole ?? 'SLAVE') !== 'SLAVE')
  }

  protected async boot(host: Host): Promise<void> {
    const { clock, random } = this
    const first: Partial<BrokerConfig> =
      host === 'one' ? { brokerRole: 'SYNC_MASTER' } : { brokerRole: 'SLAVE', brokerId: hosts.indexOf(host) }
    const namesrvAddr = `${this.network.addressOf('names')}:9876`
    const config = configOf(brokerOptions, { ...smallBroker, brokerName: 'broker-a', namesrvAddr, ...first })
    const facts = {
      pid: 1,
      bootId: `${host} ${this.cuts[host]}`,
      startedAt: () => undefined,
      lockHolder: () => undefined,
    }
    const registry = new FlakyRegistry(this.registry.view(), { clock, random: random.fork() })
    registry.lossChance = random.chance(0.3) ? 0.05 : 0
    const runtime = this.machines[host].boot(this.events)
    const broker = new Broker({ config, runtime, facts, totalMemoryBytes: 2 ** 30, registry })
    await clock.until(broker.start())
    this.running.set(host, { broker, registry })
  }

  private async end(host: Host): Promise<void> {
    const { broker, registry } = this.running.get(host)!
    this.running.delete(host)
    const dice = this.random.int(4)
    // What a power cut takes its slaves have; where two machines lose it before the first has caught up, nobody may.
    const mayCut = this.lacking === undefined || this.lacking === host
    if (dice < 1) await this.clock.until(broker.stop())
    registry.isDead = true
    if (dice < 3 || !mayCut) this.machines[host].kill()
    else {
      this.cuts[host]++
      this.lacking = host
      this.machines[host].powerCut()
    }
  }

  private async sendTo(host: Host): Promise<void> {
    if (host !== this.target) {
      await this.traffic.close()
      this.target = host
      await this.traffic.begin(host, { runsOn: false })
    }
    await Promise.all(Array.from({ length: 1 + this.random.int(3) }, () => this.traffic.send()))
  }

  private async work(): Promise<void> {
    const { random, traffic, clock, network, running } = this
    const any = <T>(of: readonly T[]): T => of[random.int(of.length)]!
    const pick = () => any(hosts)
    const steps = 10 + random.int(40)
    for (let step = 0; step < steps; step++) {
      const { faults } = this.machines[pick()].disk
      if (random.chance(0.03)) breakDisk(faults, random)
      if (random.chance(0.2)) faults.clear()
      if (random.chance(0.12)) network.partition(pick(), random.chance(0.3) ? 'names' : pick())
      if (random.chance(0.12)) network.healAll()
      const seen = running.get(pick())
      if (seen !== undefined && random.chance(0.15)) seen.registry.isCutOff = !seen.registry.isCutOff
      const victim = pick()
      if (running.has(victim) && random.chance(0.1)) await this.end(victim)
      const absent = pick()
      if (!running.has(absent) && random.chance(0.4)) {
        this.machines[absent].disk.faults.clear()
        await this.boot(absent)
      }
      if (random.chance(0.05)) await this.heal()
      const masters = this.masters()
      const target = random.chance(0.9) && masters.length > 0 ? any(masters) : pick()
      await this.sendTo(target)
      if (random.chance(0.3)) await traffic.consume(1 + random.int(2))
      if (random.chance(0.3)) await traffic.pop()
      if (random.chance(0.7)) await clock.advanceAsync(random.int(6000))
    }
  }
}
