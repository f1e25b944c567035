import type { MessageQueue } from '@skua-mq/protocol'
import { type Clock, delay } from '@skua-mq/runtime'
import type { EmitEvent } from '../events.ts'
import { QueueMap } from '../queue.ts'
import type { Offsets } from './offset-store/offsets.ts'
import type { OwnedQueues } from './owned-queues.ts'

/** Java waits so long for running handlers before it sets the offsets. */
const settleMs = 10_000

export interface ResetParts {
  readonly clock: Clock
  readonly group: string
  readonly owned: OwnedQueues
  readonly offsets: Offsets
  readonly emit: EmitEvent
  /** The consumer closes: nothing is waited for any more. */
  readonly signal: AbortSignal
  suspend(): void
  resume(): void
  stopFetch(queue: MessageQueue): void
}

/** 220: moves offsets of owned queues; afterwards rebalance takes the queues anew (client.md 9). */
export async function resetOffsets(
  topic: string,
  wanted: ReadonlyMap<MessageQueue, number>,
  parts: ResetParts,
): Promise<void> {
  const offsets = new QueueMap<number>()
  for (const [queue, offset] of wanted) offsets.set(queue, offset)
  const own = parts.owned.ofTopic(topic).filter(queue => offsets.has(queue))
  if (own.length === 0) return
  parts.suspend()
  try {
    for (const queue of own) end(queue, parts)
    // At the end of the consumer the offsets are set at once, before it writes them down.
    await delay(parts.clock, settleMs, parts.signal).catch(() => {})
    for (const queue of own) {
      // Rebalance may have taken it anew meanwhile, at the offset from before.
      end(queue, parts)
      parts.offsets.update(queue, offsets.get(queue)!)
      await parts.owned.discard(queue)
    }
    parts.emit('offsetsReset', { group: parts.group, topic, queues: own.length })
  } finally {
    parts.resume()
  }
}

function end(queue: MessageQueue, { owned, stopFetch }: ResetParts): void {
  const process = owned.get(queue)
  if (process === undefined) return
  process.dropped = true
  process.clear()
  stopFetch(queue)
}
