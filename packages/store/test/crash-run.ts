import assert from 'node:assert/strict'
import { BrokenInvariant, type Clock, type Disk, DiskError, SimRandom, SimTurn } from '@skua-mq/runtime'
import {
  type AppendWaiter,
  GetRequest,
  GetResult,
  type PutResult,
  type PutStatus,
  Store,
  type StoreConfig,
  storeRefuses,
} from '../src/index.ts'
import { checkInvariants, type Known, recordsOf } from './crash-check.ts'
import { draftOf, factsOf, smallConfig, type World, world } from './harness.ts'

/** One process over the disk: its disk and clock stop with it. */
interface Life {
  readonly life: { alive: boolean }
  readonly store: Store
  readonly turn: SimTurn
}

type End = 'stop' | 'stop, then power cut' | 'kill' | 'power cut'

/**
 * One seeded history: several lives of a store over one simulated disk, each ended by a clean stop, a kill or a power
 * cut, with faults of the disk on the way, a full disk, retention, deleted topics, slow syncs, steps of the clock, and
 * consumers that read. After each start the invariants of the architecture are checked.
 */
export class CrashRun {
  private readonly random: SimRandom
  private readonly at: World
  private config: StoreConfig
  /** Every fourth history has extended units, and every eighth has them in every other life only. */
  private readonly extended: 'never' | 'always' | 'at times'
  /** What was answered, and is expected to be found. */
  private known: Known[] = []
  private boot = 0
  private sent = 0
  /** Where the log ended when a topic was deleted last: what lies below is of no topic that is there. */
  private readonly deletedAt = new Map<string, number>()
  /** Up to here retention has deleted the log, in some life. */
  private deletedTo = 0
  /** Whether the disk refuses what queues have, and whether it did since the last look. */
  private refusesQueues = false
  private refusedQueues = false
  private readonly reads = new Set<Promise<void>>()

  constructor(seed: number) {
    this.random = new SimRandom(seed)
    this.extended = seed % 4 !== 3 ? 'never' : seed % 8 === 7 ? 'at times' : 'always'
    this.config = {
      ...smallConfig,
      flushDiskType: this.random.chance(0.5) ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
      mappedFileSizeCommitLog: this.random.chance(0.5) ? 4096 : 16_384,
      flushConsumeQueueThoroughInterval: 3000,
      // Half of the histories have no time to sync queues at a stop.
      queueSyncAtStopMs: seed % 2 === 0 ? 0 : 1000,
      queueBlockBytes: this.random.chance(0.5) ? 4000 : 1_000_000,
      logChunkBytes: 2048,
      logRingBytes: 16_384,
      maxOpenFiles: 8,
      enableConsumeQueueExt: this.extended !== 'never',
      mappedFileSizeConsumeQueueExt: 1024,
      // Half of the histories hold the disk for short, so that retention takes all that it may.
      diskSpaceCleanForciblyRatio: this.random.chance(0.5) ? 0 : 85,
      diskMaxUsedSpaceRatio: 10,
      fileReservedTime: 1,
      deleteWhen: '',
      cleanResourceInterval: 2000,
    }
    this.at = world({ capacityBytes: 100_000_000 })
    this.at.events.subscribe(({ name, fields }) => {
      if (fields.cause !== 'queue write') return
      this.refusesQueues = name === storeRefuses.eventName
      this.refusedQueues ||= this.refusesQueues
    })
  }

  /** The file in which the log grows is never deleted, nor one that holds what was not synced. */
  private lookAtRetention(store: Store): void {
    const minOffset = store.minPhysicalOffset
    if (minOffset <= this.deletedTo) return
    const { mappedFileSizeCommitLog: size } = this.config
    const end = store.maxPhysicalOffset
    assert.ok(minOffset <= end - (end % size), `deleted up to ${minOffset}, the log ends at ${end}`)
    this.deletedTo = minOffset
    // A disk that refuses the ends of queues must be given room all the same.
    if (this.refusedQueues) this.known = this.known.filter(known => known.physicalOffset >= minOffset)
    this.refusedQueues = this.refusesQueues
  }

  async run(): Promise<void> {
    const lives = 3 + this.random.int(3)
    for (let i = 0; i < lives; i++) {
      if (this.extended === 'at times') this.config = { ...this.config, enableConsumeQueueExt: i % 2 === 0 }
      if (i > 0 && this.random.chance(0.3)) this.operate()
      const life = await this.begin()
      await this.check(life.store)
      await this.work(life)
      await this.end(life)
    }
    const last = await this.begin()
    await this.check(last.store)
    await this.at.clock.until(last.store.stop())
  }

  /** What operators do between two lives. */
  private operate(): void {
    const dice = this.random.int(5)
    if (dice === 0) this.at.disk.remove('/store/index')
    // A queue that does not end with an extended unit does not notice: its entries pass, but have no hash.
    else if (dice === 1 && this.extended === 'always') this.at.disk.remove('/store/consumequeue_ext')
    else if (dice === 2) this.config = { ...this.config, mappedFileSizeConsumeQueue: 200 * (1 + this.random.int(4)) }
    else if (dice === 3) this.config = { ...this.config, flushDiskType: 'ASYNC_FLUSH' }
    else for (const name of ['skua.dispatch', 'checkpoint']) this.at.disk.remove(`/store/${name}`)
  }

  private check(store: Store): Promise<void> {
    const { known, deletedAt, deletedTo } = this
    return checkInvariants(store, { known, deletedAt, deletedTo })
  }

  private async begin(): Promise<Life> {
    while (this.random.chance(0.15)) await this.killedStart()
    const life = { alive: true }
    const disk: Disk = this.at.disk.forProcess(life)
    const turn = new SimTurn()
    const clock = mortal(this.at.clock, life)
    const facts = factsOf(`boot ${this.boot}`)
    const { events } = this.at
    const make = () => new Store(this.config, { clock, disk, turn, events, facts })
    // A start that a broken disk ends is tried again by the same process.
    if (this.random.chance(0.2)) {
      this.breakDisk()
      const tried = make()
      if (await this.starts(tried)) return { life, store: tried, turn }
      this.at.disk.faults.clear()
    }
    const store = make()
    await this.at.clock.until(store.start())
    return { life, store, turn }
  }

  /** A start that does not come to its end. */
  private async killedStart(): Promise<void> {
    const life = { alive: true }
    const lift = this.at.disk.faults.slow({ on: 'read', ms: 1, path: 'commitlog' })
    const store = new Store(this.config, {
      clock: mortal(this.at.clock, life),
      disk: this.at.disk.forProcess(life),
      turn: new SimTurn(),
      events: this.at.events,
      facts: factsOf(`boot ${this.boot}`),
    })
    void store.start().catch(() => {})
    await this.at.clock.advanceAsync(this.random.int(12))
    life.alive = false
    lift()
    if (this.random.chance(0.5)) this.powerCut()
  }

  private powerCut(): void {
    this.boot++
    this.at.disk.powerCut(this.random)
    // What no promise covers may be lost, and what follows will take its offsets.
    this.known = this.known.filter(known => known.mustSurvivePowerCut)
  }

  private async starts(store: Store): Promise<boolean> {
    try {
      await this.at.clock.until(store.start())
      return true
    } catch (error) {
      if (error instanceof BrokenInvariant) throw error
      return false
    } finally {
      this.at.disk.faults.clear()
    }
  }

  private async work({ store, turn }: Life): Promise<void> {
    const steps = 5 + this.random.int(40)
    for (let step = 0; step < steps; step++) {
      if (this.random.chance(0.05)) this.breakDisk()
      if (this.random.chance(0.05)) this.deleteTopic(store)
      if (this.random.chance(0.1)) this.at.disk.faults.slow({ on: 'sync', ms: this.random.int(4000) })
      if (this.random.chance(0.03)) this.at.clock.step((this.random.int(5) - 1) * 3_600_000)
      if (this.random.chance(0.1)) this.read(store)
      if (this.random.chance(0.05)) store.deleteExpired()
      const count = this.random.int(6)
      for (let i = 0; i < count; i++) this.append(store)
      // Also in the turn of its messages.
      if (this.random.chance(0.03)) this.deleteTopic(store)
      turn.run()
      if (this.random.chance(0.3)) await this.at.clock.advanceAsync(this.random.int(2500))
      // Retention begins a minute after the start.
      if (this.random.chance(0.03)) await this.at.clock.advanceAsync(60_000 + this.random.int(10_000))
      turn.run()
      this.lookAtRetention(store)
      if (this.random.chance(0.2)) this.at.disk.faults.clear()
    }
  }

  private breakDisk(): void {
    const { faults } = this.at.disk
    const dice = this.random.int(6)
    if (dice === 0) faults.fail({ on: 'sync', code: 'EIO', times: 1 + this.random.int(2) })
    else if (dice === 1) faults.fail({ on: 'write', code: 'ESHORTWRITE', times: 1 + this.random.int(3) })
    else if (dice === 2) faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
    else if (dice === 3)
      faults.fail({ on: 'names', code: 'EIO', skip: this.random.int(4), times: 1 + this.random.int(2) })
    else if (dice === 4) faults.fail({ on: 'open', code: 'EMFILE', skip: this.random.int(4), times: 1 })
    else faults.bytesUntilFull = this.random.int(3000)
  }

  private deleteTopic(store: Store): void {
    const topic = this.topic()
    try {
      store.deleteTopic(topic)
    } catch (error) {
      // The disk refused in the middle: it is deleted as far as consumers see.
      if (!(error instanceof DiskError)) throw error
    }
    this.deletedAt.set(topic, store.maxPhysicalOffset)
    this.known = this.known.filter(known => known.topic !== topic)
  }

  /** What a consumer reads meanwhile is what was sent to its queue, in its order. */
  private read(store: Store): void {
    const topic = this.topic()
    const queueId = this.random.int(2)
    const offset = store.minOffset(topic, queueId) + this.random.int(store.maxOffset(topic, queueId) + 1)
    const result = new GetResult()
    const reading = async () => {
      await store.get(Object.assign(new GetRequest(), { topic, queueId, offset }), result)
      let next = offset
      for (const record of recordsOf(Buffer.concat(result.slices))) {
        assert.deepEqual([record.topic, record.queueId], [topic, queueId])
        assert.ok(record.queueOffset >= next && record.queueOffset < result.nextOffset)
        next = record.queueOffset + 1
      }
      result.release()
    }
    const read: Promise<void> = reading()
      // A broken disk, a process that is dead: they answer nothing wrong.
      .catch(error => {
        if (error instanceof assert.AssertionError) throw error
      })
      .finally(() => this.reads.delete(read))
    this.reads.add(read)
  }

  private topic(): string {
    return `T${this.random.int(3)}`
  }

  private append(store: Store): void {
    const topic = this.topic()
    const queueId = this.random.int(2)
    const body = `${this.sent++}:${'b'.repeat(this.random.int(300))}`
    const key = `key${this.sent}`
    const draft = draftOf({ topic, queueId, body: Buffer.from(body), properties: `UNIQ_KEY\x01${key}\x02TAGS\x01A` })
    draft.waitStored = this.random.chance(0.8)
    const waiter = new Waiter(result => {
      if (result.physicalOffset < 0) return
      const { physicalOffset, queueOffset } = result
      // The topic was deleted while the message waited for the disk.
      if (physicalOffset < (this.deletedAt.get(topic) ?? 0)) return
      const mustSurvivePowerCut =
        this.config.flushDiskType === 'SYNC_FLUSH' && draft.waitStored && result.status === 'ok'
      this.known.push({ topic, queueId, body, key, physicalOffset, queueOffset, mustSurvivePowerCut })
    })
    store.append(draft, waiter)
    this.pending.add(waiter)
  }

  private readonly pending = new Set<Waiter>()

  private async end({ life, store, turn }: Life): Promise<void> {
    const how = this.choose()
    const isStop = how.startsWith('stop')
    if (isStop) {
      this.at.disk.faults.clear()
      if (this.random.chance(0.2)) this.breakDisk()
      const stopping = this.at.clock.until(store.stop())
      await stopping
      turn.runAll()
      for (const waiter of this.pending) assert.equal(waiter.answers, 1, 'each append is answered exactly once')
    }
    await Promise.all(isStop ? this.reads : [])
    this.reads.clear()
    // A kill in the very moment in which an fdatasync fails, before it could be noted, is not among our promises.
    this.at.disk.faults.clear()
    await this.at.clock.advanceAsync(0)
    this.lookAtRetention(store)
    life.alive = false
    for (const waiter of this.pending) assert.ok(waiter.answers <= 1, 'no append is answered twice')
    this.pending.clear()
    if (how.endsWith('power cut')) this.powerCut()
  }

  private choose(): End {
    const dice = this.random.int(5)
    if (dice === 0) return this.random.chance(0.5) ? 'stop' : 'stop, then power cut'
    return dice <= 2 ? 'kill' : 'power cut'
  }
}

class Waiter implements AppendWaiter {
  answers = 0
  status: PutStatus | undefined
  private readonly answered: (result: PutResult) => void

  constructor(answered: (result: PutResult) => void) {
    this.answered = answered
  }

  stored(result: PutResult): void {
    this.answers++
    this.status = result.status
    this.answered(result)
  }
}

/** A clock whose timers die with the process. */
function mortal(clock: Clock, life: { alive: boolean }): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, run) => clock.after(ms, () => life.alive && run()),
  }
}
