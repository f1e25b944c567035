import { type Clock, delay } from '@skua-mq/runtime'

/** Steps between which the loop gets a turn; a message that is read counts as many of those that are only passed. */
const stepsPerTurn = 20_000
const stepsOfRead = 200
const stepsOfEntry = 10

/** Long rows of messages, queues and groups are gone through a little at a time: they may be millions, and in memory, where no read waits. */
export class Pace {
  private readonly clock: Pick<Clock, 'after'>
  private steps = 0

  constructor(clock: Pick<Clock, 'after'>) {
    this.clock = clock
  }

  passed(): void {
    this.steps++
  }

  read(): void {
    this.steps += stepsOfRead
  }

  /** Before one more queue is looked at. */
  async queue(): Promise<void> {
    if (this.isOver) await this.pause()
    this.read()
  }

  /** Before one more entry of a queue is looked at, which reads no message. */
  async entry(): Promise<void> {
    if (this.isOver) await this.pause()
    this.steps += stepsOfEntry
  }

  /** Whether it is time for `pause`. */
  get isOver(): boolean {
    return this.steps >= stepsPerTurn
  }

  pause(): Promise<void> {
    this.steps = 0
    return delay(this.clock, 0)
  }
}
