import { wheelTimerTopic } from '@skua-mq/protocol'
import type { MessageQueue, MessageStore, QueueEntry } from '@skua-mq/store'

/**
 * Where a message of the timer's topic lies in its queue, which is in the order of the log. Undefined
 * where it is not there, or the queue cannot be read.
 */
export function timerQueueOffsetOf(store: Pick<MessageStore, 'queue'>, physicalOffset: number): number | undefined {
  const queue = store.queue(wheelTimerTopic, 0)
  if (queue === undefined) return undefined
  try {
    return find(queue, physicalOffset)
  } catch {
    return undefined
  }
}

function find(queue: MessageQueue, physicalOffset: number): number | undefined {
  const entry: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  let [low, high] = [queue.minOffset, queue.maxOffset - 1]
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    if (queue.entries(middle, entry) === 0) return undefined
    const found = entry[0]!.physicalOffset
    if (found === physicalOffset) return middle
    if (found < physicalOffset) low = middle + 1
    else high = middle - 1
  }
  return undefined
}
