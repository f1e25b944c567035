import { SlotQueue } from '../slot-queue.ts'
import type { Phase, Turn, TurnSlot } from '../turn.ts'

/**
 * The real end of the event-loop turn: one setImmediate per turn in which something was armed. Immediates run right
 * after the poll phase, so the work of all sockets that were readable in it is seen at once.
 */
export class NodeTurn implements Turn {
  private readonly queue: SlotQueue

  constructor() {
    const run = () => this.queue.run()
    this.queue = new SlotQueue(() => setImmediate(run))
  }

  join(phase: Phase, run: () => void): TurnSlot {
    return this.queue.join(phase, run)
  }
}
