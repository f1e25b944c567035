import { Broker, type BrokerConfig, brokerOptions } from '@skua-mq/broker'
import { NameServer } from '@skua-mq/nameserver'
import { demoteBroker, promoteBroker } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { configOf, EventHub, SimClock, SimMachine, SimNetwork, SimRandom, simRuntime } from '@skua-mq/runtime'
import { breakDisk } from './broken-disk.ts'
import { smallBroker } from './broker-run.ts'
import { Traffic } from './traffic.ts'

type Host = 'one' | 'two'

/**
 * One seeded history of a SYNC_MASTER and its slave, amid broken disks, partitions, and ends of the slave: stops, kills, power
 * cuts. Sometimes the two change places, by configuration or by request while they run; sometimes the master is lost and its slave
 * promoted, and it comes back as it was configured, or the slave comes back with an empty store. At last the master is lost, and the slave is started in its place: everything that was
 * acknowledged with 0 must reach a consumer. The consumer begins where its group stands: one that runs on may be ahead of what
 * the slave has, and nobody can tell.
 */
export class ClusterRun {
  private readonly clock = new SimClock()
  private readonly random: SimRandom
  private readonly network: SimNetwork
  private readonly machines: Readonly<Record<Host, SimMachine>>
  private readonly names: NameServer
  private readonly traffic: Traffic
  /** What the brokers told, of whatever kind. */
  readonly events = new EventHub()
  private masterHost: Host = 'one'
  private master!: Broker
  private slave: Broker | undefined
  /** As each was started last: what it was given while it ran must be stronger than that. */
  private readonly configs: Record<Host, Partial<BrokerConfig>> = {
    one: { brokerRole: 'SYNC_MASTER', brokerId: 0 },
    two: { brokerRole: 'SLAVE', brokerId: 1 },
  }
  private changes = 0
  private isBehind = false
  private cuts = 0
  private isCut = false

  constructor(seed: number) {
    this.random = new SimRandom(seed)
    const { clock, random } = this
    const network = new SimNetwork({ clock, random: random.fork() })
    this.network = network
    const machine = (name: string) => new SimMachine({ clock, network, random }, name)
    this.machines = { one: machine('one'), two: machine('two') }
    this.names = new NameServer({
      runtime: simRuntime({ seed: 1, host: 'names', clock, network }),
      listen: { host: '0.0.0.0', port: 9876 },
      kvConfigPath: '/names/kvConfig.json',
      orderMessageEnable: false,
    })
    this.traffic = new Traffic({ clock, network, random, host: 'one' })
  }

  async run(): Promise<void> {
    await this.clock.until(this.names.start())
    await this.bootMaster()
    await this.bootSlave()
    // A slave hears of a new topic within some seconds, and shows none of its messages before.
    await this.traffic.send()
    await this.clock.advanceAsync(35_000)
    await this.work()
    // A slave has what it reports in its page cache: what a power cut takes is its master's alone for a while.
    if (this.isCut || this.isBehind) await this.catchUp()
    if (this.random.chance(0.5)) this.machines[this.masterHost].powerCut()
    else this.machines[this.masterHost].kill()
    if (this.random.chance(0.5)) await this.clock.advanceAsync(this.random.int(20_000))
    await this.endSlave({ mayBeCut: false })
    await this.traffic.close()
    await this.promote()
    await this.clock.until(this.names.stop())
  }

  private async promote(): Promise<void> {
    this.network.healAll()
    const host = this.slaveHost
    this.machines[host].disk.faults.clear()
    this.configs[host] = { brokerRole: 'ASYNC_MASTER', brokerId: 0 }
    const promoted = await this.boot(host)
    await this.traffic.begin(host, { runsOn: false })
    await this.clock.advanceAsync(120_000)
    await this.traffic.consume(100)
    await this.traffic.drain()
    this.traffic.check()
    await this.traffic.close()
    await this.clock.until(promoted.stop())
  }

  private get slaveHost(): Host {
    return this.masterHost === 'one' ? 'two' : 'one'
  }

  private async boot(host: Host): Promise<Broker> {
    const changes = this.configs[host]
    const namesrvAddr = `${this.network.addressOf('names')}:9876`
    const config = configOf(brokerOptions, { ...smallBroker, brokerName: 'broker-a', namesrvAddr, ...changes })
    const facts = { pid: 1, bootId: `${host} ${this.cuts}`, startedAt: () => undefined, lockHolder: () => undefined }
    const broker = new Broker({
      config,
      runtime: this.machines[host].boot(this.events),
      facts,
      totalMemoryBytes: 2 ** 30,
    })
    await this.clock.until(broker.start())
    return broker
  }

  private async bootMaster(): Promise<void> {
    this.machines[this.masterHost].disk.faults.clear()
    this.master = await this.boot(this.masterHost)
    await this.traffic.begin(this.masterHost, { runsOn: false })
  }

  private async bootSlave(): Promise<void> {
    this.machines[this.slaveHost].disk.faults.clear()
    if (this.random.chance(0.1)) {
      this.machines[this.slaveHost].disk.remove('/store')
      this.isBehind = true
    }
    this.slave = await this.boot(this.slaveHost)
  }

  private async catchUp(): Promise<void> {
    this.network.healAll()
    for (const { disk } of Object.values(this.machines)) disk.faults.clear()
    if (this.slave === undefined) await this.bootSlave()
    await this.clock.advanceAsync(30_000)
    this.isCut = this.isBehind = false
  }

  /** As an operator does it: when the slave has all, the master is stopped first. */
  private async changePlaces(): Promise<void> {
    await this.catchUp()
    await this.traffic.close()
    await this.clock.until(this.master.stop())
    this.machines[this.masterHost].kill()
    await this.clock.advanceAsync(1000)
    await this.clock.until(this.slave!.stop())
    this.machines[this.slaveHost].kill()
    // What a broker was given while it ran counts until its configuration says something new.
    this.configs[this.masterHost] = { brokerRole: 'SLAVE', brokerId: 100 + this.changes++ }
    this.masterHost = this.slaveHost
    this.configs[this.masterHost] = { brokerRole: 'SYNC_MASTER', brokerId: 0 }
    await this.bootMaster()
    await this.bootSlave()
  }

  private async ask(host: Host, spec: typeof promoteBroker | typeof demoteBroker, header: object) {
    const { clock, network } = this
    const client = new RemotingClient(simRuntime({ seed: 3, host: 'operator', clock, network }))
    try {
      const address = `${network.addressOf(host)}:10911`
      const reply = await clock.until(client.request(address, spec, header as never, { timeoutMs: 20_000 }))
      const { code, remark } = reply
      return { code, remark, logEnd: code === 0 ? (reply.header as { logEnd: number }).logEnd : 0 }
    } finally {
      await clock.until(client.close())
    }
  }

  /** As `skua broker promote` does it while both run. */
  private async changeByRequest(): Promise<void> {
    await this.catchUp()
    await this.traffic.close()
    const [from, to] = [this.masterHost, this.slaveHost]
    const gone = await this.ask(from, demoteBroker, { brokerId: 2 + this.changes++, waitMs: 5000, force: false })
    if (gone.code === 0) {
      await this.clock.advanceAsync(5000)
      const takeFrom = `${this.network.addressOf(from)}:10911`
      const come = await this.ask(to, promoteBroker, { atLeast: gone.logEnd, takeFrom, force: false })
      if (come.code !== 0) throw new Error(`${to} is not promoted: ${come.remark}`)
      await this.clock.advanceAsync(5000)
      this.trade()
    }
    await this.traffic.begin(this.masterHost, { runsOn: false })
  }

  private trade(): void {
    const { master, slave } = this
    this.masterHost = this.slaveHost
    this.master = slave!
    this.slave = master
  }

  /** The master is lost, its slave is promoted, and what was the master is started later as if nothing had been. */
  private async failOver(): Promise<void> {
    if (this.isCut || this.isBehind || this.slave === undefined) await this.catchUp()
    await this.traffic.close()
    if (this.random.chance(0.5)) this.machines[this.masterHost].kill()
    else this.machines[this.masterHost].powerCut()
    this.cuts++
    await this.clock.advanceAsync(500 + this.random.int(5000))
    this.network.healAll()
    this.machines[this.slaveHost].disk.faults.clear()
    let come = await this.ask(this.slaveHost, promoteBroker, { force: false })
    // It hears some seconds later than from an end that closes connections that a machine is gone.
    for (let i = 0; i < 10 && /lives, a slave follows it/.test(come.remark ?? ''); i++) {
      await this.clock.advanceAsync(3000)
      come = await this.ask(this.slaveHost, promoteBroker, { force: false })
    }
    if (come.code !== 0) throw new Error(`${this.slaveHost} is not promoted: ${come.remark}`)
    await this.clock.advanceAsync(5000)
    this.trade()
    this.slave = undefined
    this.isBehind = true
    await this.traffic.begin(this.masterHost, { runsOn: false })
  }

  private async endSlave({ mayBeCut }: { mayBeCut: boolean }): Promise<void> {
    const { slave } = this
    this.slave = undefined
    if (slave === undefined) return
    const dice = this.random.int(4)
    if (dice < 2) await this.clock.until(slave.stop())
    if (dice < 3 || !mayBeCut) this.machines[this.slaveHost].kill()
    else {
      this.cuts++
      this.isCut = true
      this.machines[this.slaveHost].powerCut()
    }
  }

  private async work(): Promise<void> {
    const { random, traffic, clock, network } = this
    const steps = 10 + random.int(40)
    for (let step = 0; step < steps; step++) {
      const { faults } = this.machines[random.chance(0.5) ? 'one' : 'two'].disk
      if (random.chance(0.06)) breakDisk(faults, random)
      if (random.chance(0.05)) network.partition('one', 'two')
      if (random.chance(0.15)) network.healAll()
      if (random.chance(0.05)) await this.endSlave({ mayBeCut: true })
      if (this.slave === undefined && random.chance(0.3)) await this.bootSlave()
      if (random.chance(0.03) && this.configs[this.slaveHost].brokerRole === 'SLAVE') await this.changePlaces()
      if (random.chance(0.03)) await this.changeByRequest()
      if (random.chance(0.03)) await this.failOver()
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
