import assert from 'node:assert/strict'
import { type Clock, type Disk, SimRandom, SimTurn } from '@skua-mq/runtime'
import { type AppendWaiter, type PutResult, type PutStatus, Store, type StoreConfig } from '../src/index.ts'
import { checkInvariants, type Known } from './crash-check.ts'
import { draftOf, factsOf, smallConfig, type World, world } from './harness.ts'

/** One process over the disk: its disk and clock stop with it. */
interface Life {
  readonly life: { alive: boolean }
  readonly store: Store
  readonly turn: SimTurn
}

type End = 'stop' | 'kill' | 'power cut'

/**
 * One seeded history: several lives of a store over one simulated disk, each ended by a clean stop, a kill or a power
 * cut, with faults of the disk on the way. After each start the invariants of the architecture are checked.
 */
export class CrashRun {
  private readonly random: SimRandom
  private readonly at: World = world()
  private config: StoreConfig
  /** Every fourth history has extended units, and every eighth has them in every other life only. */
  private readonly extended: 'never' | 'always' | 'at times'
  /** What was answered, and is expected to be found. */
  private known: Known[] = []
  private boot = 0
  private sent = 0

  constructor(seed: number) {
    this.random = new SimRandom(seed)
    this.extended = seed % 4 !== 3 ? 'never' : seed % 8 === 7 ? 'at times' : 'always'
    this.config = {
      ...smallConfig,
      flushDiskType: this.random.chance(0.5) ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
      mappedFileSizeCommitLog: this.random.chance(0.5) ? 4096 : 16_384,
      flushConsumeQueueThoroughInterval: 3000,
      queueBlockBytes: this.random.chance(0.5) ? 4000 : 1_000_000,
      logChunkBytes: 2048,
      logRingBytes: 16_384,
      maxOpenFiles: 8,
      enableConsumeQueueExt: this.extended !== 'never',
      mappedFileSizeConsumeQueueExt: 1024,
    }
  }

  async run(): Promise<void> {
    const lives = 3 + this.random.int(3)
    for (let i = 0; i < lives; i++) {
      if (this.extended === 'at times') this.config = { ...this.config, enableConsumeQueueExt: i % 2 === 0 }
      const life = await this.begin()
      await checkInvariants(life.store, this.known)
      await this.work(life)
      await this.end(life)
    }
    const last = await this.begin()
    await checkInvariants(last.store, this.known)
    await this.at.clock.until(last.store.stop())
  }

  private async begin(): Promise<Life> {
    const life = { alive: true }
    const disk: Disk = this.at.disk.forProcess(life)
    const turn = new SimTurn()
    const clock = mortal(this.at.clock, life)
    const facts = factsOf(`boot ${this.boot}`)
    const store = new Store(this.config, { clock, disk, turn, events: this.at.events, facts })
    await this.at.clock.until(store.start())
    return { life, store, turn }
  }

  private async work({ store, turn }: Life): Promise<void> {
    const steps = 5 + this.random.int(40)
    for (let step = 0; step < steps; step++) {
      if (this.random.chance(0.05)) this.breakDisk()
      const count = this.random.int(6)
      for (let i = 0; i < count; i++) this.append(store)
      turn.run()
      if (this.random.chance(0.3)) await this.at.clock.advanceAsync(this.random.int(2500))
      turn.run()
      if (this.random.chance(0.2)) this.at.disk.faults.clear()
    }
  }

  private breakDisk(): void {
    const { faults } = this.at.disk
    const dice = this.random.int(4)
    if (dice === 0) faults.fail({ on: 'sync', code: 'EIO', times: 1 + this.random.int(2) })
    else if (dice === 1) faults.fail({ on: 'write', code: 'ESHORTWRITE', times: 1 + this.random.int(3) })
    else if (dice === 2) faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
    else faults.bytesUntilFull = this.random.int(3000)
  }

  private append(store: Store): void {
    const topic = `T${this.random.int(3)}`
    const queueId = this.random.int(2)
    const body = `${this.sent++}:${'b'.repeat(this.random.int(300))}`
    const key = `key${this.sent}`
    const draft = draftOf({ topic, queueId, body: Buffer.from(body), properties: `UNIQ_KEY\x01${key}\x02TAGS\x01A` })
    draft.waitStored = this.random.chance(0.8)
    const waiter = new Waiter(result => {
      if (result.physicalOffset < 0) return
      const { physicalOffset, queueOffset } = result
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
    if (how === 'stop') {
      this.at.disk.faults.clear()
      const stopping = this.at.clock.until(store.stop())
      await stopping
      turn.runAll()
      for (const waiter of this.pending) assert.equal(waiter.answers, 1, 'each append is answered exactly once')
    }
    // A kill in the very moment in which an fdatasync fails, before it could be noted, is not among our promises.
    this.at.disk.faults.clear()
    await this.at.clock.advanceAsync(0)
    life.alive = false
    for (const waiter of this.pending) assert.ok(waiter.answers <= 1, 'no append is answered twice')
    this.pending.clear()
    if (how !== 'power cut') return
    this.boot++
    this.at.disk.powerCut(this.random)
    // What no promise covers may be lost, and what follows will take its offsets.
    this.known = this.known.filter(known => known.mustSurvivePowerCut)
  }

  private choose(): End {
    const dice = this.random.int(5)
    return dice === 0 ? 'stop' : dice <= 2 ? 'kill' : 'power cut'
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
