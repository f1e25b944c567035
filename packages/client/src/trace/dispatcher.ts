import { type Clock, every, type Timer } from '@skua-mq/runtime'
import type { EmitEvent } from '../events.ts'
import { type TraceRecord, traceKeys, traceText } from './record.ts'

const maxBatchRecords = 100
const maxMessageBytes = 128_000
const flushMs = 5_000
/** Records that wait for being sent; more are dropped. */
const maxQueuedRecords = 1_024

export interface TraceParts {
  readonly clock: Clock
  readonly topic: string
  readonly emit: EmitEvent
  /** Sends one trace message, without tracing it. */
  send(message: { topic: string; keys: string; body: string }): Promise<unknown>
}

/** Collects trace records and sends them in batches (client.md 13). */
export class TraceDispatcher {
  private readonly parts: TraceParts
  private queue: TraceRecord[] = []
  private dropped = 0
  private timer: Timer | undefined
  private sending: Promise<void> = Promise.resolve()

  constructor(parts: TraceParts) {
    this.parts = parts
  }

  add(record: TraceRecord): void {
    if (this.queue.length >= maxQueuedRecords) {
      this.dropped++
      return
    }
    this.queue.push(record)
    this.timer ??= every(this.parts.clock, flushMs, () => this.flush())
    if (this.queue.length >= maxBatchRecords) void this.flush()
  }

  /** Sends what is collected. Never rejects. */
  flush(): Promise<void> {
    const records = this.queue
    this.queue = []
    if (this.dropped > 0) {
      this.parts.emit('traceDropped', { topic: this.parts.topic, records: this.dropped })
      this.dropped = 0
    }
    this.sending = this.sending.then(() => this.send(records))
    return this.sending
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    await this.flush()
  }

  private async send(records: readonly TraceRecord[]): Promise<void> {
    for (const batch of traceBatches(records)) {
      const { topic } = this.parts
      try {
        await this.parts.send({ topic, keys: traceKeys(batch), body: batch.map(traceText).join('') })
      } catch (error) {
        this.parts.emit('traceDropped', { topic, records: batch.length, error })
      }
    }
  }
}

/** Records of one trace message each. */
export function traceBatches(records: readonly TraceRecord[]): TraceRecord[][] {
  const batches: TraceRecord[][] = []
  let bytes = 0
  for (const record of records) {
    const size = Buffer.byteLength(traceText(record))
    const batch = batches.at(-1)
    if (batch === undefined || batch.length >= maxBatchRecords || bytes + size > maxMessageBytes) {
      batches.push([record])
      bytes = size
    } else {
      batch.push(record)
      bytes += size
    }
  }
  return batches
}
