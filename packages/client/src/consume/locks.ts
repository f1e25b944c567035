import { lockBatchMq, type MessageQueue, unlockBatchMq } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { emptyObject } from '../empty-object.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { QueueMap } from '../queue.ts'
import type { CachedMessage, ProcessQueue } from './process-queue.ts'

/** A lock that was not renewed for so long counts as lost here, well before the broker gives it away (60 s). */
export const lockLivesMs = 30_000
const lockTimeoutMs = 1_000

/** Locks of orderly consumption at the queues' masters (client.md 7). */
export class QueueLocks {
  private readonly instance: ClientInstance
  private readonly group: string

  constructor(instance: ClientInstance, group: string) {
    this.instance = instance
    this.group = group
  }

  /** Whether we hold it now; false also when the broker cannot be asked. */
  async lock(queue: MessageQueue, process: ProcessQueue<CachedMessage>): Promise<boolean> {
    const owned = new QueueMap<ProcessQueue<CachedMessage>>()
    owned.set(queue, process)
    await this.lockAll(owned)
    return process.locked
  }

  /** One call per broker. A broker that cannot be asked changes nothing: the lock runs out by itself. */
  async lockAll(owned: Iterable<[MessageQueue, ProcessQueue<CachedMessage>]>): Promise<void> {
    const byBroker = grouped([...owned])
    await Promise.all([...byBroker.values()].map(entries => this.lockAt(entries)))
  }

  /** Tells the broker; whatever it answers, the queue is not ours any more. */
  async unlock(queues: readonly MessageQueue[]): Promise<void> {
    await Promise.allSettled(
      queues.map(queue =>
        this.instance.calls.atMaster(queue, {
          spec: unlockBatchMq,
          header: {},
          body: this.body([queue]),
          timeoutMs: lockTimeoutMs,
        }),
      ),
    )
  }

  private async lockAt(entries: [MessageQueue, ProcessQueue<CachedMessage>][]): Promise<void> {
    const queues = entries.map(([queue]) => queue)
    let held: QueueMap<true>
    try {
      const call = { spec: lockBatchMq, header: {}, body: this.body(queues), timeoutMs: lockTimeoutMs }
      const reply = await this.instance.calls.atMaster(queues[0]!, call)
      held = new QueueMap()
      for (const queue of lockBatchMq.replyBody!.decode(reply.body ?? emptyObject).lockOKMQSet) held.set(queue, true)
    } catch {
      return
    }
    const now = this.instance.clock.monotonic()
    for (const [queue, process] of entries) {
      process.locked = held.has(queue)
      if (process.locked) process.lastLockAtMs = now
    }
  }

  private body(mqSet: MessageQueue[]): Uint8Array {
    return lockBatchMq.body!.encode({ consumerGroup: this.group, clientId: this.instance.clientId, mqSet })
  }
}

function grouped<P>(entries: [MessageQueue, P][]): Map<string, [MessageQueue, P][]> {
  const groups = new Map<string, [MessageQueue, P][]>()
  for (const entry of entries) {
    const list = groups.get(entry[0].brokerName)
    if (list === undefined) groups.set(entry[0].brokerName, [entry])
    else list.push(entry)
  }
  return groups
}

/** Whether the lock may be relied on now. */
export const holdsLock = (process: ProcessQueue<CachedMessage>, clock: Pick<Clock, 'monotonic' | 'leaps'>): boolean =>
  process.locked && (clock.leaps === true || clock.monotonic() - process.lastLockAtMs <= lockLivesMs)
