import type { QueueTable } from './queue-table.ts'

/**
 * Writes what queues have in memory only, a bounded number of queues at a time, so that ten thousand dirty queues do
 * not stop the loop.
 */
export class QueueWriter {
  private readonly table: QueueTable
  private readonly queuesPerStep: number
  /** Queues of the round under way which are not yet written. */
  private round: QueueTable['dirty'] = []

  constructor(table: QueueTable, queuesPerStep = 256) {
    this.table = table
    this.queuesPerStep = queuesPerStep
  }

  /** Begins a round over the queues that are dirty now, and those that are left of the one before. Throws DiskError. */
  begin(): void {
    this.table.removeLeftovers()
    this.round = this.round.length === 0 ? this.table.dirty : this.table.dirty.concat(this.round)
    this.table.dirty = []
  }

  /** Writes some of the round's queues; true when the round is done. Throws DiskError; the queue stays in the round. */
  step(): boolean {
    for (let i = 0; i < this.queuesPerStep; i++) {
      const queue = this.round[this.round.length - 1]
      if (queue === undefined) return true
      if (!queue.isDeleted) queue.flush()
      queue.isDirty = false
      this.round.pop()
    }
    return this.round.length === 0
  }

  /** Writes everything at once: for a clean stop. Throws DiskError. */
  finish(): void {
    do {
      while (!this.step()) {}
      this.begin()
    } while (this.round.length > 0)
  }
}
