import { CountedRows } from '../metrics/counted-rows.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import { type MetricSource, overflow, type Samples } from '../metrics/source.ts'

/** Seconds; RocketMQ's. */
const bounds = [5, 60, 300, 900, 3600, 14_400, 28_800, 86_400]
/** Slots that are counted before others have their turn. */
const slotsAtOnce = 4096
const labels = ['disk', 'local'] as const

interface Row {
  enqueued: number
  dequeued: number
}

export interface TimerMetricsParts {
  readonly now: () => number
  readonly precisionMs: number
  readonly book: {
    readonly size: number
    readonly readMs: number
    floor(ms: number): number
    slot(slotMs: number): { readonly count: number } | undefined
  }
  /** Messages that are not in the wheel yet. */
  readonly behind: () => number
  /** When the last one was stored that came into it. */
  readonly lastStoredAtMs: () => number
  /** metricsOtelCardinalityLimit */
  readonly limit: number
}

/** What there is to tell of timers. */
export class TimerMetrics implements MetricSource {
  private readonly parts: TimerMetricsParts
  private readonly rows: CountedRows<Row>

  constructor(parts: TimerMetricsParts) {
    this.parts = parts
    this.rows = new CountedRows(() => ({ enqueued: 0, dequeued: 0 }), parts.limit)
  }

  enqueued(topic: string): void {
    this.rows.row(topic).enqueued++
  }

  dequeued(topic: string): void {
    this.rows.row(topic).dequeued++
  }

  *collect(into: Samples): Iterable<void> {
    const { now, book, behind, lastStoredAtMs, precisionMs } = this.parts
    const isBehind = behind() > 0
    yield into.sample(rocketmq.timerEnqueueLag, labels, behind())
    yield into.sample(rocketmq.timerEnqueueLatency, labels, isBehind ? Math.max(0, now() - lastStoredAtMs()) : 0)
    yield into.sample(rocketmq.timerDequeueLag, labels, book.size)
    const lateMs = book.readMs === 0 ? 0 : Math.max(0, now() - book.readMs - precisionMs)
    yield into.sample(rocketmq.timerDequeueLatency, labels, lateMs)
    for (const [topic, { enqueued }] of this.rows.entries())
      yield into.sample(rocketmq.timerEnqueued, [...labels, topic], enqueued)
    if (this.rows.overflow !== undefined)
      yield into.sample(rocketmq.timerEnqueued, overflow, this.rows.overflow.enqueued)
    for (const [topic, { dequeued }] of this.rows.entries())
      yield into.sample(rocketmq.timerDequeued, [...labels, topic], dequeued)
    if (this.rows.overflow !== undefined)
      yield into.sample(rocketmq.timerDequeued, overflow, this.rows.overflow.dequeued)
    yield* this.snapshot(into)
  }

  private *snapshot(into: Samples): Iterable<void> {
    const { now, book, precisionMs } = this.parts
    const fromMs = book.floor(now())
    let slot = 0
    for (const bound of bounds) {
      let count = 0
      for (let left = slotsAtOnce; book.size > 0 && slot < (bound * 1000) / precisionMs; slot++, left--) {
        count += book.slot(fromMs + slot * precisionMs)?.count ?? 0
        if (left > 0) continue
        left = slotsAtOnce
        yield
      }
      yield into.sample(rocketmq.timerSnapshot, [...labels, String(bound)], count)
    }
  }
}
