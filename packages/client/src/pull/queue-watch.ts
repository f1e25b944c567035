import type { MessageQueue } from '@skua-mq/protocol'
import type { Offsets } from '../consume/offset-store/offsets.ts'
import type { Ownership } from '../consume/rebalance.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { compareQueues, QueueMap, queueKey } from '../queue.ts'

/** Is told the queues of a topic, and which of them are ours, when either changes. */
export type QueueListener = (
  topic: string,
  queues: { all: readonly MessageQueue[]; own: readonly MessageQueue[] },
) => void

/** Tells listeners which queues are ours: pull consumers only watch rebalance, they decide themselves what they pull. */
export class QueueWatch implements Ownership {
  private readonly instance: ClientInstance
  private readonly offsets: Offsets
  private readonly listeners = new Map<string, QueueListener[]>()
  private readonly own = new Map<string, readonly MessageQueue[]>()

  constructor(instance: ClientInstance, offsets: Offsets) {
    this.instance = instance
    this.offsets = offsets
  }

  listen(topic: string, listener: QueueListener): void {
    const list = this.listeners.get(topic) ?? []
    this.listeners.set(topic, list)
    list.push(listener)
  }

  topics(): string[] {
    return [...this.listeners.keys()]
  }

  async update(
    topic: string,
    own: readonly MessageQueue[],
    all: readonly MessageQueue[],
  ): Promise<{ changed: boolean; complete: boolean }> {
    const before = this.own.get(topic) ?? []
    const fingerprint = (queues: readonly MessageQueue[]) => [...queues].sort(compareQueues).map(queueKey).join()
    if (this.own.has(topic) && fingerprint(before) === fingerprint(own)) return { changed: false, complete: true }
    this.own.set(topic, own)
    const kept = new QueueMap<true>()
    for (const queue of own) kept.set(queue, true)
    for (const queue of before) {
      if (kept.has(queue)) continue
      await this.offsets.persistOne(queue)
      this.offsets.forget(queue)
    }
    for (const listener of this.listeners.get(topic) ?? []) listener(topic, { all, own })
    await this.instance.heartbeats.beat()
    return { changed: true, complete: true }
  }
}
