import { Histogram } from '@skua-mq/runtime'
import type { PutResult } from '@skua-mq/store'
import type { Family } from '../metrics/family.ts'
import { isRetryOrDeadLetter, systemLabel } from '../metrics/labels.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import { type MetricSource, overflow, type Samples } from '../metrics/source.ts'
import { type MessageKind, messageKindNames } from '../send/message-kind.ts'

/** Upper ends of RocketMQ's classes of message sizes, bytes. */
const sizeBounds = [1024, 4096, 524_288, 1_048_576, 2_097_152, 4_194_304]

class Row {
  messages = 0
  bytes = 0
  readonly sizes = new Histogram(sizeBounds)
}

type Write = (family: Family, labels: readonly string[], row: Row) => void

/**
 * Messages that came in, by the topic in which they are stored and by kind. A message costs a look into a map and a few
 * additions; it is only made where there are metrics.
 */
export class MessagesIn implements MetricSource {
  private readonly topics = new Map<string, (Row | undefined)[]>()
  private readonly limit: number
  private rows = 0
  private rest: Row | undefined

  /** `limit`: metricsOtelCardinalityLimit. Topics beyond are counted together. */
  constructor(limit: number) {
    this.limit = limit
  }

  count(topic: string, kind: MessageKind, { count, size }: Pick<PutResult, 'count' | 'size'>): void {
    const row = this.topics.get(topic)?.[kind] ?? this.make(topic, kind)
    if (row === undefined) return
    row.messages += count
    row.bytes += size
    row.sizes.add(Math.floor(size / count))
  }

  deleteTopic(topic: string): void {
    const kinds = this.topics.get(topic)
    if (kinds === undefined) return
    this.rows -= kinds.filter(row => row !== undefined).length
    this.topics.delete(topic)
  }

  /** Undefined for what is not counted. */
  private make(topic: string, kind: MessageKind): Row | undefined {
    if (isRetryOrDeadLetter(topic)) return undefined
    if (this.rows >= this.limit) {
      this.rest ??= new Row()
      return this.rest
    }
    this.rows++
    const row = new Row()
    const kinds = this.topics.get(topic)
    if (kinds === undefined) {
      const first: (Row | undefined)[] = [undefined, undefined, undefined, undefined]
      first[kind] = row
      this.topics.set(topic, first)
    } else kinds[kind] = row
    return row
  }

  *collect(into: Samples): Iterable<void> {
    yield* this.each(rocketmq.messagesIn, (family, labels, row) => into.sample(family, labels, row.messages))
    yield* this.each(rocketmq.throughputIn, (family, labels, row) => into.sample(family, labels, row.bytes))
    yield* this.each(rocketmq.messageSize, (family, labels, row) => into.histogram(family, labels, row.sizes))
  }

  private *each(family: Family, write: Write): Iterable<void> {
    for (const [topic, kinds] of this.topics) {
      for (let kind = 0; kind < kinds.length; kind++) {
        const row = kinds[kind]
        if (row === undefined) continue
        yield write(family, [systemLabel(topic), messageKindNames[kind] as string, topic], row)
      }
    }
    if (this.rest !== undefined) yield write(family, overflow, this.rest)
  }
}
