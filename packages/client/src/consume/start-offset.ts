import type { ConsumeFromWhere, MessageQueue } from '@skua-mq/protocol'
import { isRetryTopic } from '../name/namespace.ts'

export interface StartRules {
  readonly consumeFromWhere: ConsumeFromWhere
  /** For CONSUME_FROM_TIMESTAMP, ms since 1970. */
  readonly consumeTimestampMs: number
}

/** What has to be asked of the broker. */
export interface QueueEnds {
  maxOffset(queue: MessageQueue): Promise<number>
  searchOffset(queue: MessageQueue, timestampMs: number): Promise<number>
}

/** Where a group begins in a queue of which no offset is known (client.md 8). */
export async function startOffset(queue: MessageQueue, rules: StartRules, ends: QueueEnds): Promise<number> {
  const retry = isRetryTopic(queue.topic)
  switch (rules.consumeFromWhere) {
    case 'CONSUME_FROM_FIRST_OFFSET':
      // The broker moves it to its first offset with the first pull.
      return 0
    case 'CONSUME_FROM_TIMESTAMP':
      return retry ? ends.maxOffset(queue) : ends.searchOffset(queue, rules.consumeTimestampMs)
    default:
      return retry ? 0 : ends.maxOffset(queue)
  }
}

/** `yyyyMMddHHmmss` in local time, as Java's consumeTimestamp, to ms since 1970; undefined for anything else. */
export function parseConsumeTimestamp(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined) return undefined
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number]
  return new Date(year, month - 1, day, hour, minute, second).getTime()
}
