/** What a process queue needs to know of a message. */
export interface CachedMessage {
  readonly queueOffset: number
  readonly body: { readonly length: number }
}

/**
 * Messages of one queue between pull and acknowledgement. The smallest cached offset is the commit position: nothing
 * before it is open. It lives as long as this member owns the queue, and `dropped` ends all work on it.
 */
export class ProcessQueue<M extends CachedMessage> {
  dropped = false
  /** Orderly consumption: held at the broker. */
  locked = false
  lastLockAtMs = 0
  lastPullAtMs: number
  lastConsumeAtMs: number
  /** Orderly: how often this queue could not be given up because a batch was running. */
  tryUnlockTimes = 0
  private cached = new Map<number, M>()
  /** Orderly: taken from the head and not yet committed. */
  private taken = new Map<number, M>()
  private bytes = 0
  private highest = -1

  constructor(nowMs: number) {
    this.lastPullAtMs = nowMs
    this.lastConsumeAtMs = nowMs
  }

  get count(): number {
    return this.cached.size + this.taken.size
  }

  get sizeBytes(): number {
    return this.bytes
  }

  /** Smallest offset that is not acknowledged; undefined when nothing is cached. */
  get minOffset(): number | undefined {
    const taken = first(this.taken)
    const cached = first(this.cached)
    if (taken === undefined || cached === undefined) return taken ?? cached
    return Math.min(taken, cached)
  }

  /** Highest offset seen; -1 before the first message. */
  get maxOffset(): number {
    return this.highest
  }

  /** Largest minus smallest cached offset. */
  get span(): number {
    const min = this.minOffset
    return min === undefined ? 0 : this.highest - min
  }

  /** Pulled messages, in the order of their offsets. */
  put(messages: readonly M[]): void {
    for (const message of messages) {
      if (!this.cached.has(message.queueOffset)) this.bytes += message.body.length
      this.cached.set(message.queueOffset, message)
      if (message.queueOffset > this.highest) this.highest = message.queueOffset
    }
  }

  /** Concurrent: these are done. Returns the commit position; undefined when nothing was cached. */
  remove(messages: readonly M[]): number | undefined {
    if (this.cached.size === 0) return undefined
    for (const message of messages) {
      if (this.cached.delete(message.queueOffset)) this.bytes -= message.body.length
    }
    return first(this.cached) ?? this.highest + 1
  }

  has(message: M): boolean {
    return this.cached.has(message.queueOffset)
  }

  /** The message with the smallest offset. */
  get head(): M | undefined {
    for (const message of this.cached.values()) return message
    return undefined
  }

  /** Orderly: the next batch from the head; it stays open until `commit` or `putBack`. */
  take(max: number): M[] {
    const batch: M[] = []
    for (const [offset, message] of this.cached) {
      if (batch.length >= max) break
      batch.push(message)
      this.taken.set(offset, message)
    }
    for (const message of batch) this.cached.delete(message.queueOffset)
    return batch
  }

  /** Orderly: what was taken is done. Returns the commit position; undefined when nothing was taken. */
  commit(): number | undefined {
    let last: number | undefined
    for (const [offset, message] of this.taken) {
      last = offset
      this.bytes -= message.body.length
    }
    this.taken.clear()
    return last === undefined ? undefined : last + 1
  }

  /** Orderly: what was taken comes first again. */
  putBack(): void {
    this.cached = new Map([...this.taken, ...this.cached])
    this.taken = new Map()
  }

  clear(): void {
    this.cached.clear()
    this.taken.clear()
    this.bytes = 0
    this.highest = -1
  }
}

const first = (messages: ReadonlyMap<number, unknown>): number | undefined => {
  for (const offset of messages.keys()) return offset
  return undefined
}
