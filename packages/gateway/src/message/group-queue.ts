import { javaHash } from '@skua-mq/protocol'

/**
 * Which of so many queues takes the messages of a group: Guava's consistent hash over the Java hash of its name, as
 * RocketMQ's proxy has it, so that both put a group into one queue.
 */
export function queueOfGroup(group: string, queues: number): number {
  if (queues === 0) return -1
  // A 64-bit linear congruential generator: each candidate is the next place where the bucket would change.
  let state = BigInt.asUintN(64, BigInt(javaHash(group)))
  let candidate = 0
  for (;;) {
    state = BigInt.asUintN(64, 2862933555777941757n * state + 1n)
    const next = Math.floor((candidate + 1) / ((Number(state >> 33n) + 1) / 2 ** 31))
    if (next < 0 || next >= queues) return candidate
    candidate = next
  }
}
