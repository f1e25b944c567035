import type { Clock } from '@skua-mq/runtime'
import type { QueueTable } from './queue-table.ts'

/** One step: a file that is there takes 10 µs, a new one with its directory 300. */
const stepMs = 5

/** Writes what queues have in memory only, for a few milliseconds at a time, so that ten thousand dirty queues do not stop the loop. */
export class QueueWriter {
  private readonly table: QueueTable
  private readonly clock: Pick<Clock, 'monotonic'>
  /** Queues of the round under way which are not yet written. */
  private round: QueueTable['dirty'] = []

  constructor(table: QueueTable, clock: Pick<Clock, 'monotonic'>) {
    this.table = table
    this.clock = clock
  }

  /** Begins a round over the queues that are dirty now, and those that are left of the one before. Throws DiskError. */
  begin(): void {
    this.table.removeLeftovers()
    this.round = this.round.length === 0 ? this.table.dirty : this.table.dirty.concat(this.round)
    this.table.dirty = []
  }

  /** Writes some of the round's queues; true when the round is done. Throws DiskError; the queue stays in the round. */
  step(): boolean {
    const begunMs = this.clock.monotonic()
    for (;;) {
      const queue = this.round[this.round.length - 1]
      if (queue === undefined) return true
      if (!queue.isDeleted) queue.flush()
      queue.isDirty = false
      this.round.pop()
      if (this.clock.monotonic() - begunMs >= stepMs) return this.round.length === 0
    }
  }

  /** Writes everything at once: for a clean stop. Throws DiskError. */
  finish(): void {
    do {
      while (!this.step()) {}
      this.begin()
    } while (this.round.length > 0)
  }
}
