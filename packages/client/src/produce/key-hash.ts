import { javaHash, type MessageQueue } from '@skua-mq/protocol'

/** Java's hash of an Integer or Long where it is one, else of the text. */
function hashOfKey(key: string | number): number {
  if (typeof key === 'string') return javaHash(key)
  if (!Number.isSafeInteger(key)) return javaHash(String(key))
  if (key === (key | 0)) return key
  const bits = BigInt.asUintN(64, BigInt(key))
  return Number(BigInt.asIntN(32, bits ^ (bits >> 32n)))
}

/** The queue of an order key: the same as Java's SelectMessageQueueByHash picks, while the queues stay the same. */
export function queueOfKey(queues: readonly MessageQueue[], key: string | number): MessageQueue {
  return queues[Math.abs(hashOfKey(key) % queues.length)]!
}
