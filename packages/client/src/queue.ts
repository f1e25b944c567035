import type { MessageQueue } from '@skua-mq/protocol'

/** A message queue as the key of a map. No name of a topic or broker can hold a line feed. */
export const queueKey = (queue: MessageQueue): string => `${queue.topic}\n${queue.brokerName}\n${queue.queueId}`

export const sameQueue = (a: MessageQueue, b: MessageQueue): boolean =>
  a.queueId === b.queueId && a.brokerName === b.brokerName && a.topic === b.topic

/** Java's order: topic, broker name, queue id; texts by UTF-16 units. */
export function compareQueues(a: MessageQueue, b: MessageQueue): number {
  return compareText(a.topic, b.topic) || compareText(a.brokerName, b.brokerName) || a.queueId - b.queueId
}

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Java's toString of a queue: consistent hashing takes it, and so do people. */
export const queueText = (queue: MessageQueue): string =>
  `MessageQueue [topic=${queue.topic}, brokerName=${queue.brokerName}, queueId=${queue.queueId}]`

/** A map with queues as keys, by value. */
export class QueueMap<V> {
  private readonly entries = new Map<string, { queue: MessageQueue; value: V }>()

  get size(): number {
    return this.entries.size
  }

  get(queue: MessageQueue): V | undefined {
    return this.entries.get(queueKey(queue))?.value
  }

  has(queue: MessageQueue): boolean {
    return this.entries.has(queueKey(queue))
  }

  set(queue: MessageQueue, value: V): void {
    this.entries.set(queueKey(queue), { queue, value })
  }

  delete(queue: MessageQueue): boolean {
    return this.entries.delete(queueKey(queue))
  }

  clear(): void {
    this.entries.clear()
  }

  *queues(): Generator<MessageQueue> {
    for (const { queue } of this.entries.values()) yield queue
  }

  *values(): Generator<V> {
    for (const { value } of this.entries.values()) yield value
  }

  *[Symbol.iterator](): Generator<[MessageQueue, V]> {
    for (const { queue, value } of this.entries.values()) yield [queue, value]
  }
}
