import { Histogram } from '@skua-mq/runtime'
import { CountedRows } from '../metrics/counted-rows.ts'
import type { Family } from '../metrics/family.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import { type MetricSource, overflow, type Samples } from '../metrics/source.ts'

/** Upper ends of RocketMQ's classes, whole seconds. */
const bounds = [5, 60, 600, 3600, 43_200, 86_400]

class Row {
  half = 0
  commits = 0
  rollbacks = 0
  readonly seconds = new Histogram(bounds)
}

/** Transactional messages by the topic in which they appear once they are committed. */
export class TransactionMetrics implements MetricSource {
  private readonly rows: CountedRows<Row>

  /** `limit`: metricsOtelCardinalityLimit. */
  constructor(limit: number) {
    this.rows = new CountedRows(() => new Row(), limit)
  }

  /** A half message was stored. */
  began(topic: string): void {
    this.rows.row(topic).half++
  }

  committed(topic: string, ageMs: number): void {
    const row = this.rows.row(topic)
    row.commits++
    row.seconds.add(Math.max(0, Math.floor(ageMs / 1000)))
    left(row)
  }

  rolledBack(topic: string): void {
    const row = this.rows.row(topic)
    row.rollbacks++
    left(row)
  }

  /** Nobody has decided it, and nobody is asked any more. */
  givenUp(topic: string): void {
    left(this.rows.row(topic))
  }

  *collect(into: Samples): Iterable<void> {
    yield* this.each(rocketmq.halfMessages, (family, labels, row) => into.sample(family, labels, row.half))
    yield* this.each(rocketmq.commitMessages, (family, labels, row) => {
      if (row.commits > 0) into.sample(family, labels, row.commits)
    })
    yield* this.each(rocketmq.rollbackMessages, (family, labels, row) => {
      if (row.rollbacks > 0) into.sample(family, labels, row.rollbacks)
    })
    yield* this.each(rocketmq.finishMessageLatency, (family, labels, row) => {
      if (row.commits > 0) into.histogram(family, labels, row.seconds)
    })
  }

  private *each(family: Family, write: (family: Family, labels: readonly string[], row: Row) => void): Iterable<void> {
    for (const [topic, row] of this.rows.entries()) yield write(family, [topic], row)
    if (this.rows.overflow !== undefined) yield write(family, overflow, this.rows.overflow)
  }
}

/** Half messages of before the start are counted up to a limit: their ends do not lead below nothing. */
function left(row: Row): void {
  if (row.half > 0) row.half--
}
