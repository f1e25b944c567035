import type { MessageQueue } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'

/** Locks of a group; queues beyond are not locked. */
export const maxLocksPerGroup = 100_000

/** A lock that is not renewed for so long is free (remoting.md 11). */
export const lockExpiryMs = 60_000

interface Lock {
  readonly clientId: string
  renewedAtMs: number
}

/** Which member of a group may consume a queue in order (41, 42). In memory only, as in RocketMQ. */
export class QueueLocks {
  private readonly groups = new Map<string, Map<string, Lock>>()
  private readonly clock: Pick<Clock, 'monotonic'>

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock
  }

  /** Answers those that the client holds now; its own locks are renewed. */
  lock(group: string, clientId: string, queues: readonly MessageQueue[]): MessageQueue[] {
    const now = this.clock.monotonic()
    let locks = this.groups.get(group)
    if (locks === undefined) {
      locks = new Map()
      this.groups.set(group, locks)
    }
    const held: MessageQueue[] = []
    for (const queue of queues) {
      const key = keyOf(queue)
      const lock = locks.get(key)
      if (lock === undefined ? locks.size >= maxLocksPerGroup : lock.clientId !== clientId && !expired(lock, now))
        continue
      locks.set(key, { clientId, renewedAtMs: now })
      held.push(queue)
    }
    return held
  }

  unlock(group: string, clientId: string, queues: readonly MessageQueue[]): void {
    const locks = this.groups.get(group)
    if (locks === undefined) return
    for (const queue of queues) {
      const key = keyOf(queue)
      if (locks.get(key)?.clientId === clientId) locks.delete(key)
    }
    if (locks.size === 0) this.groups.delete(group)
  }

  /** Who holds a queue, for tools; undefined when it is free. */
  ownerOf(group: string, queue: MessageQueue): string | undefined {
    const lock = this.groups.get(group)?.get(keyOf(queue))
    return lock === undefined || expired(lock, this.clock.monotonic()) ? undefined : lock.clientId
  }

  /** Forgets locks that are free anyway. */
  expire(): void {
    const now = this.clock.monotonic()
    for (const [group, locks] of this.groups) {
      for (const [key, lock] of locks) if (expired(lock, now)) locks.delete(key)
      if (locks.size === 0) this.groups.delete(group)
    }
  }

  /** Locks that are kept, expired ones included. */
  get size(): number {
    let size = 0
    for (const locks of this.groups.values()) size += locks.size
    return size
  }
}

const keyOf = ({ topic, brokerName, queueId }: MessageQueue): string => `${topic}@${brokerName}@${queueId}`

const expired = (lock: Lock, nowMs: number): boolean => nowMs - lock.renewedAtMs > lockExpiryMs
