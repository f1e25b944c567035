import { Broker, type BrokerConfig, brokerOptions } from '@skua-mq/broker'
import { NameServer } from '@skua-mq/nameserver'
import { configOf, SimClock, SimMachine, SimNetwork, SimRandom, simRuntime } from '@skua-mq/runtime'
import { breakDisk } from './broken-disk.ts'
import { smallBroker } from './broker-run.ts'
import { Traffic } from './traffic.ts'

type Role = 'master' | 'slave'

/**
 * One seeded history of a SYNC_MASTER and its slave, amid broken disks, partitions, and ends of the slave. Then the master is
 * lost, and the slave is started in its place: everything that was acknowledged with 0 must reach a consumer. The consumer
 * begins where its group stands: one that runs on may be ahead of what the slave has, and nobody can tell.
 */
export class ClusterRun {
  private readonly clock = new SimClock()
  private readonly random: SimRandom
  private readonly network: SimNetwork
  private readonly machines: Readonly<Record<Role, SimMachine>>
  private readonly names: NameServer
  private readonly traffic: Traffic
  private slave: Broker | undefined

  constructor(seed: number) {
    this.random = new SimRandom(seed)
    const { clock, random } = this
    const network = new SimNetwork({ clock, random: random.fork() })
    this.network = network
    const machine = (name: string) => new SimMachine({ clock, network, random }, name)
    this.machines = { master: machine('master'), slave: machine('slave') }
    this.names = new NameServer({
      runtime: simRuntime({ seed: 1, host: 'names', clock, network }),
      listen: { host: '0.0.0.0', port: 9876 },
      kvConfigPath: '/names/kvConfig.json',
      orderMessageEnable: false,
    })
    this.traffic = new Traffic({ clock, network, random, host: 'master' })
  }

  async run(): Promise<void> {
    await this.clock.until(this.names.start())
    await this.boot('master', { brokerRole: 'SYNC_MASTER', brokerId: 0 })
    await this.traffic.begin('master', { runsOn: false })
    await this.bootSlave()
    // A slave hears of a new topic within some seconds, and shows none of its messages before.
    await this.traffic.send()
    await this.clock.advanceAsync(35_000)
    await this.work()
    if (this.random.chance(0.5)) this.machines.master.powerCut()
    else this.machines.master.kill()
    if (this.random.chance(0.5)) await this.clock.advanceAsync(this.random.int(20_000))
    await this.endSlave()
    await this.traffic.close()
    await this.promote()
    await this.clock.until(this.names.stop())
  }

  private async promote(): Promise<void> {
    this.network.healAll()
    this.machines.slave.disk.faults.clear()
    const promoted = await this.boot('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await this.traffic.begin('slave', { runsOn: false })
    await this.clock.advanceAsync(120_000)
    await this.traffic.consume(100)
    await this.traffic.drain()
    this.traffic.check()
    await this.traffic.close()
    await this.clock.until(promoted.stop())
  }

  private async boot(role: Role, changes: Partial<BrokerConfig>): Promise<Broker> {
    const namesrvAddr = `${this.network.addressOf('names')}:9876`
    const config = configOf(brokerOptions, { ...smallBroker, brokerName: 'broker-a', namesrvAddr, ...changes })
    const facts = { pid: 1, bootId: role, startedAt: () => undefined, lockHolder: () => undefined }
    const broker = new Broker({ config, runtime: this.machines[role].boot(), facts, totalMemoryBytes: 2 ** 30 })
    await this.clock.until(broker.start())
    return broker
  }

  private async bootSlave(): Promise<void> {
    this.machines.slave.disk.faults.clear()
    this.slave = await this.boot('slave', { brokerRole: 'SLAVE', brokerId: 1 })
  }

  private async endSlave(): Promise<void> {
    const { slave } = this
    this.slave = undefined
    if (slave === undefined) return
    if (this.random.chance(0.5)) await this.clock.until(slave.stop())
    this.machines.slave.kill()
  }

  private async work(): Promise<void> {
    const { random, traffic, clock, network } = this
    const steps = 10 + random.int(40)
    for (let step = 0; step < steps; step++) {
      const { faults } = this.machines[random.chance(0.5) ? 'master' : 'slave'].disk
      if (random.chance(0.06)) breakDisk(faults, random)
      if (random.chance(0.05)) network.partition('master', 'slave')
      if (random.chance(0.15)) network.healAll()
      if (random.chance(0.05)) await this.endSlave()
      if (this.slave === undefined && random.chance(0.3)) await this.bootSlave()
      await Promise.all(Array.from({ length: random.int(4) }, () => traffic.send()))
      if (random.chance(0.4)) await traffic.consume(1 + random.int(2))
      if (random.chance(0.4)) await traffic.pop()
      if (random.chance(0.5)) await clock.advanceAsync(random.int(8000))
      if (random.chance(0.25)) {
        faults.clear()
        await traffic.beat()
      }
    }
  }
}
