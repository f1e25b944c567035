import type { ConsumeProgress, MessageQueue } from '@skua-mq/protocol'
import { compareText } from './each.ts'

/** Where a group stands in a queue. */
export interface QueueProgress {
  readonly topic: string
  readonly brokerName: string
  readonly queueId: number
  /** The offset that the next message will get. */
  readonly brokerOffset: number
  /** The next one to be consumed. */
  readonly consumerOffset: number
  /** Messages that wait. */
  readonly diff: number
  /** Store time of what was consumed last, ms since 1970; 0 for none. */
  readonly lastConsumedMs: number
}

/** By topic, broker and queue. */
export const compareQueues = (a: MessageQueue, b: MessageQueue): number =>
  compareText(a.topic, b.topic) || compareText(a.brokerName, b.brokerName) || a.queueId - b.queueId

/** A table of 208 or 317 as rows, sorted. */
export function queueProgress(table: ReadonlyMap<MessageQueue, ConsumeProgress>): QueueProgress[] {
  const rows: QueueProgress[] = []
  for (const [queue, { brokerOffset, consumerOffset, lastTimestamp }] of table) {
    const { topic, brokerName, queueId } = queue
    const diff = brokerOffset - consumerOffset
    rows.push({ topic, brokerName, queueId, brokerOffset, consumerOffset, diff, lastConsumedMs: lastTimestamp })
  }
  return rows.sort(compareQueues)
}
