import { SlotQueue } from '../slot-queue.ts'
import type { Phase, Turn, TurnSlot } from '../turn.ts'

/**
 * Turns that a test steps with `run()`, or, given `schedule`, that drive themselves:
 * `new SimTurn(run => clock.after(0, run))` has a turn at the end of the instant in which something was armed.
 */
export class SimTurn implements Turn {
  private readonly queue: SlotQueue

  constructor(schedule?: (run: () => void) => void) {
    const run = () => this.queue.run()
    this.queue = new SlotQueue(() => schedule?.(run))
  }

  join(phase: Phase, run: () => void): TurnSlot {
    return this.queue.join(phase, run)
  }

  /** True when something is armed. */
  get pending(): boolean {
    return this.queue.pending
  }

  /** One turn. */
  run(): void {
    this.queue.run()
  }

  /** Turns until nothing is armed; fails after `limit` of them. */
  runAll(limit = 1_000): void {
    for (let turns = 0; this.queue.pending; turns++) {
      if (turns === limit) throw new Error(`something is still armed after ${limit} turns`)
      this.queue.run()
    }
  }
}
