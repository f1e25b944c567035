import type { Clock, Timer } from '../clock.ts'
import { type Events, noEvents } from '../event.ts'
import type { Runtime } from '../runtime.ts'
import type { SimClock } from './clock.ts'
import { SimDisk } from './disk.ts'
import type { Life } from './file.ts'
import { SimHttp } from './http.ts'
import type { SimNetwork } from './network.ts'
import type { SimRandom } from './random.ts'
import { SimTurn } from './turn.ts'

export interface SimWorld {
  readonly clock: SimClock
  readonly network: SimNetwork
  readonly random: SimRandom
}

/**
 * A machine of a simulated cluster: a disk that lasts and one process after another. A process that was killed is
 * gone at once: none of its timers, turns and socket handlers runs again, its calls of the disk fail with EDEAD.
 */
export class SimMachine {
  readonly name: string
  readonly disk: SimDisk
  private readonly world: SimWorld
  private life: Life = { alive: false }

  constructor(world: SimWorld, name: string) {
    this.world = world
    this.name = name
    this.disk = new SimDisk(world.clock)
  }

  /** Starts a process; the former one must be dead. */
  boot(events: Events = noEvents): Runtime {
    if (this.life.alive) throw new Error(`a process of ${this.name} is running`)
    const life = { alive: true }
    this.life = life
    const clock = new MortalClock(this.world.clock, life)
    const net = this.world.network.host(this.name, life)
    return {
      clock,
      disk: this.disk.forProcess(life),
      net,
      http: new SimHttp(net),
      random: this.world.random.fork(),
      turn: new SimTurn(run => clock.after(0, run)),
      events,
    }
  }

  /** kill -9: what was written stays, synced or not; the peers are reset. */
  kill(): void {
    this.life.alive = false
    this.world.network.drop(this.name, { announce: true })
  }

  /** What was not synced is lost by chance; the peers hear nothing. */
  powerCut(): void {
    this.life.alive = false
    this.world.network.drop(this.name, { announce: false })
    this.disk.powerCut(this.world.random)
  }
}

/** The clock of a process: its timers die with it. */
class MortalClock implements Clock {
  private readonly clock: SimClock
  private readonly life: Life

  constructor(clock: SimClock, life: Life) {
    this.clock = clock
    this.life = life
  }

  now(): number {
    return this.clock.now()
  }

  monotonic(): number {
    return this.clock.monotonic()
  }

  after(ms: number, run: () => void): Timer {
    return this.clock.after(ms, () => {
      if (this.life.alive) run()
    })
  }
}
