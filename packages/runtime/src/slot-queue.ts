import { type Phase, phases, type Turn, type TurnSlot } from './turn.ts'

/** One part's place in a turn. The armed flag makes a second `arm()` before the run free. */
class Slot implements TurnSlot {
  private armed = false
  private left = false
  private readonly queue: SlotQueue
  private readonly phase: number
  private readonly body: () => void

  constructor(queue: SlotQueue, phase: number, body: () => void) {
    this.queue = queue
    this.phase = phase
    this.body = body
  }

  arm(): void {
    if (this.armed || this.left) return
    this.armed = true
    this.queue.add(this.phase, this)
  }

  leave(): void {
    this.left = true
  }

  run(): void {
    this.armed = false
    if (!this.left) this.body()
  }
}

/**
 * The order of a turn without the question what drives it: NodeTurn and SimTurn give `schedule`, which is asked once for
 * every turn in which something is armed, and call `run` later.
 * A slot armed while the turn runs joins this turn when its phase is still to come, the next one otherwise.
 */
export class SlotQueue implements Turn {
  /** Two lists per phase change places at its start, so that arming during the run never grows the list being walked. */
  private armed: Slot[][] = phases.map(() => [])
  private spare: Slot[][] = phases.map(() => [])
  private running = false
  private scheduled = false
  private readonly schedule: () => void

  constructor(schedule: () => void) {
    this.schedule = schedule
  }

  join(phase: Phase, run: () => void): TurnSlot {
    return new Slot(this, phases.indexOf(phase), run)
  }

  /** True when a turn is wanted. */
  get pending(): boolean {
    return this.armed.some(list => list.length > 0)
  }

  add(phase: number, slot: Slot): void {
    this.armed[phase]!.push(slot)
    if (!this.running) this.ask()
  }

  /** One turn. What a run throws passes through, after everything still armed was given another turn. */
  run(): void {
    this.scheduled = false
    this.running = true
    try {
      for (let phase = 0; phase < phases.length; phase++) this.runPhase(phase)
    } finally {
      this.running = false
      if (this.pending) this.ask()
    }
  }

  private runPhase(phase: number): void {
    const list = this.armed[phase]!
    if (list.length === 0) return
    this.armed[phase] = this.spare[phase]!
    this.spare[phase] = list
    let next = 0
    try {
      while (next < list.length) list[next++]!.run()
    } finally {
      for (; next < list.length; next++) this.armed[phase]!.push(list[next]!)
      list.length = 0
    }
  }

  private ask(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.schedule()
  }
}
