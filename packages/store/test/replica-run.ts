import assert from 'node:assert/strict'
import { BrokenInvariant, SimRandom } from '@skua-mq/runtime'
import type { StoreConfig } from '../src/index.ts'
import { checkInvariants } from './crash-check.ts'
import { type Opened, open, put, smallConfig, type World, world } from './harness.ts'

/**
 * One seeded history of a slave: it gets its master's log in pieces of any size, amid faults of its disk, a full disk, its own
 * retention and deleted topics; each of its lives ends with a stop, a kill or a power cut. After each start its log is its
 * master's, byte for byte as far as it goes, and its queues and index are complete. In the end it is started as a master.
 */
export class ReplicaRun {
  private readonly random: SimRandom
  private readonly here: World
  private readonly config: StoreConfig
  private master!: Opened
  private slave!: Opened
  private life = { alive: true }
  private boots = 0
  private sent = 0
  private deletedTo = 0
  /** Where the bytes belong that follow those of the frame before; undefined after an error and after a start. */
  private next: number | undefined
  private readonly deletedAt = new Map<string, number>()

  constructor(seed: number) {
    this.random = new SimRandom(seed)
    this.here = world({ capacityBytes: 100_000_000 })
    this.config = {
      ...smallConfig,
      brokerRole: 'SLAVE',
      flushConsumeQueueThoroughInterval: 3000,
      queueBlockBytes: this.random.chance(0.5) ? 4000 : 1_000_000,
      logChunkBytes: 2048,
      diskSpaceCleanForciblyRatio: this.random.chance(0.3) ? 0 : 85,
      diskMaxUsedSpaceRatio: 10,
      fileReservedTime: 1,
      cleanResourceInterval: 2000,
      enableConsumeQueueExt: seed % 4 === 3,
      mappedFileSizeConsumeQueueExt: 1024,
    }
  }

  async run(): Promise<void> {
    this.master = await open(world(), { ...smallConfig, enableConsumeQueueExt: this.config.enableConsumeQueueExt })
    const lives = 2 + this.random.int(4)
    for (let i = 0; i < lives; i++) {
      await this.begin()
      await this.work()
      await this.end()
    }
    await this.promote()
  }

  private async begin(changes: Partial<StoreConfig> = {}): Promise<void> {
    this.life = { alive: true }
    this.next = undefined
    const disk = this.here.disk.forProcess(this.life)
    this.slave = await open(this.here, { ...this.config, ...changes }, { bootId: `boot ${this.boots}`, disk })
    await this.check()
  }

  private async check(): Promise<void> {
    const { store } = this.slave
    for (let at = store.minPhysicalOffset; at < store.maxPhysicalOffset; ) {
      const own = await store.readLog(at, 4096)
      const others = await this.master.store.readLog(at, own.length)
      assert.ok(own.length > 0 && own.subarray(0, others.length).equals(others), `the log at ${at} is the master's`)
      at += others.length
    }
    this.deletedTo = Math.max(this.deletedTo, store.minPhysicalOffset)
    await checkInvariants(store, { known: [], deletedAt: this.deletedAt, deletedTo: this.deletedTo })
  }

  private async work(): Promise<void> {
    const { faults } = this.here.disk
    const steps = 10 + this.random.int(40)
    for (let step = 0; step < steps; step++) {
      if (this.random.chance(0.08)) this.breakDisk()
      if (this.random.chance(0.1)) faults.slow({ on: 'sync', ms: this.random.int(3000) })
      if (this.random.chance(0.04)) this.deleteTopic()
      if (this.random.chance(0.05)) this.slave.store.deleteExpired()
      if (this.random.chance(0.03)) this.here.clock.step(3_600_000)
      for (let count = this.random.int(6); count > 0; count--) this.put(this.master)
      await this.ship()
      if (this.random.chance(0.3)) await this.here.clock.advanceAsync(this.random.int(2500))
      if (this.random.chance(0.04)) await this.here.clock.advanceAsync(65_000)
      this.slave.turn.run()
      this.deletedTo = Math.max(this.deletedTo, this.slave.store.minPhysicalOffset)
      if (this.random.chance(0.2)) faults.clear()
    }
  }

  private put(to: Opened): void {
    const key = `key${this.sent++}`
    const body = Buffer.from('b'.repeat(this.random.int(600)))
    const properties = `UNIQ_KEY\x01${key}\x02TAGS\x01A`
    put(to, { topic: `T${this.random.int(3)}`, queueId: this.random.int(2), body, properties })
  }

  private deleteTopic(): void {
    const topic = `T${this.random.int(3)}`
    this.master.store.deleteTopic(topic)
    this.deletedAt.set(topic, this.master.store.maxPhysicalOffset)
  }

  /** As the link does: from the end of the log here, and after an error from there anew. */
  private async ship(): Promise<void> {
    const { store } = this.slave
    for (let frames = this.random.int(5); frames > 0; frames--) {
      const at = this.next ?? store.maxPhysicalOffset
      const bytes = await this.master.store.readLog(at, [1, 7, 100, 1000, 32_768][this.random.int(5)]!)
      if (bytes.length === 0) return
      try {
        store.appendReplicated(at, bytes)
        this.next = at + bytes.length
      } catch (error) {
        this.next = undefined
        if (error instanceof BrokenInvariant) throw error
        return
      }
    }
  }

  private breakDisk(): void {
    const { faults } = this.here.disk
    const dice = this.random.int(6)
    if (dice === 0) faults.fail({ on: 'sync', code: 'EIO', times: 1 + this.random.int(2) })
    else if (dice === 1) faults.fail({ on: 'write', code: 'ESHORTWRITE', times: 1 + this.random.int(3) })
    else if (dice === 2) faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
    else if (dice === 3) faults.fail({ on: 'names', code: 'EIO', skip: this.random.int(4), times: 1 })
    else if (dice === 4) faults.fail({ on: 'open', code: 'EMFILE', skip: this.random.int(4), times: 1 })
    else faults.bytesUntilFull = this.random.int(3000)
  }

  private async end(): Promise<void> {
    const dice = this.random.int(5)
    if (dice === 0) {
      if (this.random.chance(0.7)) this.here.disk.faults.clear()
      await this.here.clock.until(this.slave.store.stop())
    }
    this.here.disk.faults.clear()
    await this.here.clock.advanceAsync(0)
    this.deletedTo = Math.max(this.deletedTo, this.slave.store.minPhysicalOffset)
    this.life.alive = false
    if (dice <= 2) return
    this.boots++
    this.here.disk.powerCut(this.random)
  }

  /** What it has goes on to be taken for whole, and so does what it is sent then. */
  private async promote(): Promise<void> {
    const asMaster = { brokerRole: 'ASYNC_MASTER' } as const
    await this.begin(asMaster)
    this.master = this.slave
    for (let i = 0; i < 10; i++) this.put(this.slave)
    if (this.random.chance(0.5)) await this.here.clock.advanceAsync(this.random.int(5000))
    await this.check()
    await this.here.clock.until(this.slave.store.stop())
  }
}
