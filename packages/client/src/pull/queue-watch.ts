import type { MessageQueue } from '@skua-mq/protocol'
import type { Offsets } from '../consume/offset-store/offsets.ts'
import type { Ownership } from '../consume/rebalance.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { compareQueues, QueueMap, queueKey } from '../queue.ts'

/** Is told the queues of a topic, and which of them are ours, when either changes. */
export type QueueListener = (
  topic: string,
  queues: { all: readonly MessageQueue[]; own: readonly MessageQueue[] },
) => void

export interface QueueWatchParts {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly offsets: Offsets
  readonly emit: EmitEvent
}

/** Tells listeners which queues are ours: pull consumers only watch rebalance, they decide themselves what they pull. */
export class QueueWatch implements Ownership {
  private readonly parts: QueueWatchParts
  private readonly listeners = new Map<string, QueueListener[]>()
  private readonly own = new Map<string, readonly MessageQueue[]>()

  constructor(parts: QueueWatchParts) {
    this.parts = parts
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
    for (const queue of before) if (!kept.has(queue)) await this.leave(queue)
    for (const listener of this.listeners.get(topic) ?? []) this.tell(listener, topic, { all, own })
    await this.parts.instance.heartbeats.beat()
    return { changed: true, complete: true }
  }

  /** A position that cannot be written is told, and no reason to keep the queue: its new owner reads it already. */
  private async leave(queue: MessageQueue): Promise<void> {
    const { offsets, emit, group } = this.parts
    try {
      await offsets.persistOne(queue)
    } catch (error) {
      emit('offsetCommitFailed', { group, error })
    }
    offsets.forget(queue)
  }

  /** What a listener throws is no matter of the next one. */
  private tell(listener: QueueListener, topic: string, queues: Parameters<QueueListener>[1]): void {
    try {
      listener(topic, queues)
    } catch (error) {
      this.parts.emit('rebalanceFailed', { group: this.parts.group, topic, error })
    }
  }
}
