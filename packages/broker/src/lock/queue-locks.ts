import type { MessageQueue } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'

/** Locks of a group; queues beyond are not locked. */
export const maxLocksPerGroup = 100_000

/** The same in bytes, for all groups. */
const maxLockBytes = 128 * 1024 * 1024

/** About what a group and a lock take without their texts. */
const groupBytes = 200
const lockBytes = 150

/** A lock that is not renewed for so long is free (remoting.md 11). */
export const lockExpiryMs = 60_000

interface Lock {
  readonly clientId: string
  readonly renewedAtMs: number
  readonly bytes: number
}

type Locks = Map<string, Lock>

/** Which member of a group may consume a queue in order (41, 42). In memory only, as in RocketMQ. */
export class QueueLocks {
  private readonly groups = new Map<string, Locks>()
  private readonly clock: Pick<Clock, 'monotonic' | 'leaps'>
  private bytes = 0

  constructor(clock: Pick<Clock, 'monotonic' | 'leaps'>) {
    this.clock = clock
  }

  /** Returns those that the client holds now; its own locks are renewed. */
  lock(group: string, clientId: string, queues: readonly MessageQueue[]): MessageQueue[] {
    const now = this.clock.monotonic()
    const held: MessageQueue[] = []
    for (const queue of queues) {
      const key = keyOf(queue)
      const lock = this.groups.get(group)?.get(key)
      if (lock !== undefined && lock.clientId !== clientId && !this.expired(lock, now)) continue
      const bytes = lockBytes + key.length + clientId.length
      if (this.put(group, key, { clientId, renewedAtMs: now, bytes })) held.push(queue)
    }
    return held
  }

  private put(group: string, key: string, lock: Lock): boolean {
    let locks = this.groups.get(group)
    const former = locks?.get(key)
    if (former === undefined && (locks?.size ?? 0) >= maxLocksPerGroup) return false
    const more = lock.bytes - (former?.bytes ?? 0) + (locks === undefined ? groupBytes + group.length : 0)
    if (more > 0 && this.bytes + more > maxLockBytes) return false
    this.bytes += more
    if (locks === undefined) {
      locks = new Map()
      this.groups.set(group, locks)
    }
    locks.set(key, lock)
    return true
  }

  unlock(group: string, clientId: string, queues: readonly MessageQueue[]): void {
    const locks = this.groups.get(group)
    if (locks === undefined) return
    for (const queue of queues) {
      const key = keyOf(queue)
      const lock = locks.get(key)
      if (lock?.clientId === clientId) this.drop(locks, key, lock)
    }
    this.dropIfEmpty(group, locks)
  }

  private expired(lock: Lock, nowMs: number): boolean {
    return !this.clock.leaps && nowMs - lock.renewedAtMs > lockExpiryMs
  }

  private drop(locks: Locks, key: string, { bytes }: Lock): void {
    locks.delete(key)
    this.bytes -= bytes
  }

  private dropIfEmpty(group: string, locks: Locks): void {
    if (locks.size > 0) return
    this.groups.delete(group)
    this.bytes -= groupBytes + group.length
  }

  /** Who holds a queue, for tools; undefined when it is free. */
  ownerOf(group: string, queue: MessageQueue): string | undefined {
    const lock = this.groups.get(group)?.get(keyOf(queue))
    return lock === undefined || this.expired(lock, this.clock.monotonic()) ? undefined : lock.clientId
  }

  /** Whether a group holds any lock that has not expired. */
  isHeld(group: string): boolean {
    const now = this.clock.monotonic()
    for (const lock of this.groups.get(group)?.values() ?? []) if (!this.expired(lock, now)) return true
    return false
  }

  /** Forgets locks that are free anyway. */
  expire(): void {
    const now = this.clock.monotonic()
    for (const [group, locks] of this.groups) {
      for (const [key, lock] of locks) if (this.expired(lock, now)) this.drop(locks, key, lock)
      this.dropIfEmpty(group, locks)
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
