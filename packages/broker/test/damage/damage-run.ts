import assert, { AssertionError } from 'node:assert/strict'
import { PopMachine } from '../pop/pop-machine.ts'
import { type Damage, Damager } from './damages.ts'
import { queueIds, Traffic } from './traffic.ts'

const secondMs = 1000
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const config = '/store/config'
/** What is committed is on the disk within this time. */
const savedMs = 11 * secondMs

const sizes = {
  ...{ mappedFileSizeCommitLog: 32 * 1024, mappedFileSizeConsumeQueue: 20 * 20, mappedFileSizeConsumeQueueExt: 1024 },
  ...{ mappedFileSizeTimerLog: 4096, maxHashSlotNum: 50, maxIndexNum: 40, defaultTopicQueueNums: queueIds.length },
}

const everyHour = Array.from({ length: 24 }, (_, hour) => hour).join(';')

/**
 * One seeded history of a broker that syncs: lives over one simulated machine, ended by a stop, a kill or a power cut. Between
 * them one of the files beside the log is damaged, and the clock set. Everything that was acknowledged comes, nothing of it
 * twice to who acknowledged it, and nothing before its time; what was damaged is said, and where nothing can be had of it
 * the start is refused with its name.
 */
export class DamageRun {
  /** What happened, for whoever repeats a seed. */
  readonly story: string[] = []
  private readonly machine: PopMachine
  private readonly damager: Damager
  private readonly traffic: Traffic
  /** Whether the log loses its oldest files. */
  private readonly isAging: boolean

  constructor(seed: number) {
    this.machine = new PopMachine(seed)
    const { random, disk, clock } = this.machine
    this.damager = new Damager(disk, random.fork())
    this.isAging = random.chance(0.25)
    this.traffic = new Traffic({ random: random.fork(), clock, longestMs: this.isAging ? hourMs : 3 * dayMs })
    this.machine.change({
      ...sizes,
      ...{
        flushDiskType: 'SYNC_FLUSH',
        recallMessageEnable: true,
        timerRollWindowSlot: [30, 3600, 172_800][random.int(3)]!,
      },
      ...{ enableConsumeQueueExt: true, enablePropertyFilter: true, enableCalcFilterBitMap: true },
      ...{ expectConsumerNumUseFilter: 4, fileReservedTime: this.isAging ? 72 : 100_000, deleteWhen: everyHour },
      ...{ transactionCheckInterval: 5000, transactionTimeOut: 6000, transactionCheckMax: 100_000 },
    })
  }

  async run(): Promise<void> {
    const { random } = this.machine
    await this.machine.boot()
    await this.begin(Number.NEGATIVE_INFINITY)
    for (let lives = 2 + random.int(4); lives > 0; lives--) {
      for (let steps = 8 + random.int(25); steps > 0; steps--) await this.step()
      await this.nextLife()
    }
    await this.traffic.settle()
    await this.machine.settle(this.machine.broker.stop())
  }

  private begin(saved: number): Promise<void> {
    return this.traffic.begin(this.machine.client('client'), saved)
  }

  private async step(): Promise<void> {
    const { random, clock } = this.machine
    const dice = random.int(100)
    if (dice < 70) await this.traffic.step()
    else if (dice < 93) await clock.advanceAsync([50, 3000, 15_000, 70_000][random.int(4)]! + random.int(1000))
    else if (dice < 97) this.setClock()
    else if (this.isAging) await this.age()
  }

  private setClock(): void {
    const { random, clock } = this.machine
    const ms = [30 * secondMs, hourMs, 2 * dayMs, 20 * dayMs][random.int(this.isAging ? 2 : 4)]!
    const signed = random.chance(0.5) ? ms : -ms
    this.story.push(`the clock is set by ${signed / secondMs} s`)
    clock.step(signed)
    this.traffic.clockSet()
  }

  /** All that was sent has come; then the log loses it. */
  private async age(): Promise<void> {
    await this.traffic.settle()
    this.story.push('the log ages')
    this.traffic.forget()
    this.machine.clock.step(100 * hourMs)
    this.traffic.clockSet()
    await this.machine.clock.advanceAsync(40_000)
  }

  private async nextLife(): Promise<void> {
    const { random } = this.machine
    const how = (['stop', 'kill', 'power cut'] as const)[random.int(3)]!
    const endedAt = await this.end(how)
    let saved = how === 'stop' ? endedAt : endedAt - savedMs
    const before = this.tables()
    const damage = random.chance(0.85) ? this.damager.damage() : undefined
    this.story.push(
      `${how}; ${damage ? `${damage.path}: ${damage.how}${damage.withBak ? ' with .bak' : ''}` : 'no damage'}`,
    )
    if (damage?.path.endsWith('consumerOffset.json')) {
      saved = Number.NEGATIVE_INFINITY
      if (damage.how === 'gone' && damage.withBak) this.traffic.offsetsLost()
    }
    // Where a queue ended whose messages are all deleted stands in its files alone.
    if (this.isAging && damage !== undefined && /^\/store\/consumequeue(\/|$)/.test(damage.path)) {
      saved = Number.NEGATIVE_INFINITY
      this.traffic.endsLost()
    }
    if (random.chance(0.3)) this.setClock()
    const isCalm = how === 'stop' && damage === undefined
    if (!isCalm && random.chance(0.2)) await this.diesAtStart()
    const { events } = this.machine
    const from = events.length
    try {
      await this.machine.boot()
    } catch (error) {
      this.story.push(`refused: ${(error as Error).message}`)
      this.refused(error as Error, damage)
      this.restore(before)
      await this.machine.boot()
    }
    const said = events.slice(from).filter(({ level }) => level !== 'info' && level !== 'debug')
    this.story.push(...said.map(({ name, fields }) => `${name} ${JSON.stringify(fields)}`))
    if (isCalm) assert.deepEqual(said, [])
    await this.begin(saved)
  }

  /** When it ended, by the clock that only goes forward. */
  private async end(how: 'stop' | 'kill' | 'power cut'): Promise<number> {
    const { machine } = this
    if (how === 'stop') {
      await machine.settle(machine.broker.stop())
      machine.kill()
      return machine.clock.monotonic()
    }
    let endedAt = 0
    let isOver = false
    machine.clock.after(machine.random.int(20), () => {
      if (how === 'kill') machine.kill()
      else machine.powerCut()
      isOver = true
      endedAt = machine.clock.monotonic()
    })
    while (!isOver) {
      try {
        await this.traffic.step()
        await machine.clock.advanceAsync(1)
      } catch (error) {
        if (error instanceof AssertionError || !isOver) throw error
      }
    }
    return endedAt
  }

  /** A start that is killed, or whose machine stops, amid it. */
  private async diesAtStart(): Promise<void> {
    const { machine } = this
    const { random, disk, clock } = machine
    const isCut = random.chance(0.5)
    disk.faults.slow({ on: 'sync', ms: 1 + random.int(20) })
    clock.after(random.int(60), () => (isCut ? machine.powerCut() : machine.kill()))
    try {
      await machine.boot()
    } catch {}
    await clock.advanceAsync(100)
    disk.faults.clear()
    this.story.push(isCut ? 'a power cut at the start' : 'killed at the start')
  }

  private refused(error: Error, damage: Damage | undefined): void {
    const name = damage?.path.slice(damage.path.lastIndexOf('/') + 1)
    const isSaid = name !== undefined && damage!.path.startsWith(config) && error.message.includes(name)
    assert.ok(isSaid, `the start is refused: ${error.message}`)
    this.machine.kill()
  }

  private tables(): Map<string, Buffer> {
    const { disk } = this.machine
    return new Map(disk.list(config).map(name => [`${config}/${name}`, disk.readFile(`${config}/${name}`)]))
  }

  /** As an operator does from his copies. */
  private restore(before: ReadonlyMap<string, Buffer>): void {
    const { disk } = this.machine
    for (const [path, bytes] of before) {
      disk.writeFile(path, bytes)
      const file = disk.open(path, 'write')
      file.syncDataSync()
      file.closeSync()
    }
    disk.syncDirectory(config)
  }
}
