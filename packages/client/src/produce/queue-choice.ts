import type { MessageQueue } from '@skua-mq/protocol'
import type { LatencyFaults } from './latency.ts'

/** Round robin over the queues of a topic, one per topic, with a random start (client.md 4). */
export class QueueRound {
  private index: number

  constructor(start: number) {
    this.index = start
  }

  /** The next queue; after a failure, of another broker than the last one, if there is another. */
  next(queues: readonly MessageQueue[], lastBroker?: string): MessageQueue {
    for (let tries = 0; tries < queues.length; tries++) {
      const queue = this.step(queues)
      if (lastBroker === undefined || queue.brokerName !== lastBroker) return queue
    }
    return this.step(queues)
  }

  /** As `next`, but brokers that are slow or broken are left out as long as others are there. */
  nextByLatency(
    queues: readonly MessageQueue[],
    by: { faults: LatencyFaults; nowMs: number; lastBroker?: string | undefined },
  ): MessageQueue {
    for (let tries = 0; tries < queues.length; tries++) {
      const queue = this.step(queues)
      const repeated = by.lastBroker !== undefined && queue.brokerName === by.lastBroker
      if (!repeated && by.faults.available(queue.brokerName, by.nowMs)) return queue
    }
    const names = [...new Set(queues.map(queue => queue.brokerName))]
    // The better half only: hitting always the very best one would make it the next to fall.
    const better = by.faults.ranked(names, by.nowMs).slice(0, Math.max(1, Math.floor(names.length / 2)))
    return this.next(queues.filter(queue => better.includes(queue.brokerName)))
  }

  private step(queues: readonly MessageQueue[]): MessageQueue {
    const queue = queues[this.index % queues.length]!
    this.index = (this.index + 1) % 0x7fff_ffff
    return queue
  }
}
