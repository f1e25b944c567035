import { Broker, type BrokerConfig, brokerOptions } from '@skua-mq/broker'
import { configOf, SimClock, SimMachine, SimNetwork, SimRandom } from '@skua-mq/runtime'
import { breakDisk } from './broken-disk.ts'
import { queues, Traffic } from './traffic.ts'

export const smallBroker = {
  ...{ storePathRootDir: '/store', mappedFileSizeCommitLog: 64 * 1024, mappedFileSizeConsumeQueue: 2000 },
  ...{ maxHashSlotNum: 50, maxIndexNum: 100, defaultTopicQueueNums: queues.length },
  // A full disk takes the oldest messages otherwise, delivered or not.
  cleanFileForciblyEnable: false,
  transactionTimeOut: 2000,
  transactionCheckInterval: 3000,
  transactionCheckMax: 1000,
} satisfies Partial<BrokerConfig>

/**
 * One seeded history of a broker: several lives over one simulated machine, each ended by a stop, a kill or a power cut, amid
 * broken and slow disks. In the end everything that was acknowledged must have reached the consumer once at least, and
 * nothing that was rolled back.
 */
export class BrokerRun {
  private readonly clock = new SimClock()
  private readonly random: SimRandom
  private readonly machine: SimMachine
  private readonly traffic: Traffic
  private readonly config: Partial<BrokerConfig>
  private readonly isSync: boolean
  private broker!: Broker
  private boots = 0

  constructor(seed: number) {
    this.random = new SimRandom(seed)
    const { clock, random } = this
    const network = new SimNetwork({ clock, random: random.fork() })
    this.machine = new SimMachine({ clock, network, random }, 'broker')
    this.traffic = new Traffic({ clock, network, random, host: 'broker' })
    this.isSync = random.chance(0.7)
    this.config = {
      ...smallBroker,
      flushDiskType: this.isSync ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
      flushDelayOffsetInterval: 1000 * (1 + random.int(10)),
      flushConsumerOffsetInterval: 1000 * (1 + random.int(5)),
    }
  }

  async run(): Promise<void> {
    const lives = 2 + this.random.int(3)
    for (let i = 0; i < lives; i++) {
      await this.boot()
      await this.work()
      await this.end()
    }
    await this.boot()
    await this.clock.advanceAsync(120_000)
    await this.traffic.consume(100)
    await this.traffic.drain()
    this.traffic.check()
    await this.traffic.close()
    await this.clock.until(this.broker.stop())
  }

  private async boot(): Promise<void> {
    const config = configOf(brokerOptions, this.config)
    const bootId = `boot ${this.boots}`
    const facts = { pid: 1, bootId, startedAt: () => undefined, lockHolder: () => undefined }
    this.broker = new Broker({ config, runtime: this.machine.boot(), facts, totalMemoryBytes: 2 ** 30 })
    await this.clock.until(this.broker.start())
    await this.traffic.begin('broker', { runsOn: this.random.chance(0.5) })
  }

  private async work(): Promise<void> {
    const { random, traffic, clock } = this
    const { faults } = this.machine.disk
    const steps = 5 + random.int(25)
    for (let step = 0; step < steps; step++) {
      if (random.chance(0.06)) breakDisk(faults, random)
      if (random.chance(0.1)) faults.slow({ on: 'sync', ms: random.int(3000) })
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

  private async end(): Promise<void> {
    const dice = this.random.int(5)
    this.machine.disk.faults.clear()
    if (dice === 0) {
      await this.traffic.close()
      await this.clock.until(this.broker.stop())
      this.machine.kill()
      return
    }
    if (dice <= 2) this.machine.kill()
    else {
      this.boots++
      this.machine.powerCut()
      // Without SYNC_FLUSH a power cut may take what was acknowledged.
      if (!this.isSync) this.traffic.forget()
    }
    await this.traffic.close()
  }
}
