import { Histogram } from '@skua-mq/runtime'
import type { Family } from './family.ts'
import type { MetricSource, Samples } from './source.ts'

/** Upper ends of RocketMQ's classes, ms. */
const bounds = [10, 100, 1000, 3000, 5000]

/** How long requests of tools took, by whether they were done. */
export class ExecutionTimes implements MetricSource {
  private readonly family: Family
  private readonly rows = new Map<string, { readonly labels: readonly string[]; readonly times: Histogram }>()

  /** `family`: invocation_status is its first label. */
  constructor(family: Family) {
    this.family = family
  }

  /** `more`: values of the labels behind invocation_status, which are few. */
  add(ms: number, isDone: boolean, more: readonly string[] = []): void {
    const labels = [isDone ? 'success' : 'failure', ...more]
    const key = labels.join()
    let row = this.rows.get(key)
    if (row === undefined) {
      row = { labels, times: new Histogram(bounds) }
      this.rows.set(key, row)
    }
    row.times.add(ms)
  }

  *collect(into: Samples): Iterable<void> {
    for (const { labels, times } of this.rows.values()) yield into.histogram(this.family, labels, times)
  }
}
