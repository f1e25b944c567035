import { CountedRows } from '../metrics/counted-rows.ts'
import { systemLabel } from '../metrics/labels.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import { type MetricSource, overflow, type Samples } from '../metrics/source.ts'

interface Row {
  messages: number
}

/** Messages that became dead letters, by group and by the topic that they came from. */
export class DeadLetterCount implements MetricSource {
  private readonly rows: CountedRows<Row>

  /** `limit`: metricsOtelCardinalityLimit. */
  constructor(limit: number) {
    this.rows = new CountedRows(() => ({ messages: 0 }), limit)
  }

  count(group: string, topic: string): void {
    this.rows.row(`${topic}\n${group}`).messages++
  }

  *collect(into: Samples): Iterable<void> {
    for (const [key, { messages }] of this.rows.entries()) {
      const [topic = '', group = ''] = key.split('\n')
      yield into.sample(rocketmq.sendToDlq, [group, systemLabel(topic, group), topic], messages)
    }
    const rest = this.rows.overflow
    if (rest !== undefined) yield into.sample(rocketmq.sendToDlq, overflow, rest.messages)
  }
}
