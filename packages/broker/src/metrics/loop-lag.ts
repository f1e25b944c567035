import { type Clock, Histogram, type Service, type Timer } from '@skua-mq/runtime'
import { own } from './skua-families.ts'
import type { MetricSource, Samples } from './source.ts'

/** How often it is looked. */
export const loopLagEveryMs = 50

/** Upper ends of the classes, ms. */
const bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]

/** How late a timer runs is how long the loop was busy with something else, or the process did not get the CPU. */
export class LoopLag implements Service, MetricSource {
  readonly name = 'loop lag'
  private readonly clock: Pick<Clock, 'monotonic' | 'after'>
  private readonly times = new Histogram(bounds)
  private timer: Timer | undefined

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>) {
    this.clock = clock
  }

  async start(): Promise<void> {
    this.arm()
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
  }

  private arm(): void {
    const dueMs = this.clock.monotonic() + loopLagEveryMs
    this.timer = this.clock.after(loopLagEveryMs, () => {
      this.times.add(Math.max(0, this.clock.monotonic() - dueMs))
      this.arm()
    })
  }

  *collect(into: Samples): Iterable<void> {
    yield into.histogram(own.loopLag, [], this.times)
  }
}
