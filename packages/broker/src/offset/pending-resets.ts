/** Queues with a reset that their consumers have not seen yet; above it a reset moves the committed offset only. */
export const maxPendingResets = 100_000

/**
 * Offsets that an administrator has reset and that a running consumer must hear of: its next pull of the queue is
 * answered with the new offset (21), and what it commits until then counts nothing. In memory only: the offset itself is
 * committed at once, so that a restart of the broker loses just the interruption of consumers that run.
 */
export class PendingResets {
  private readonly offsets = new Map<string, number>()
  private readonly limit: number

  constructor(limit = maxPendingResets) {
    this.limit = limit
  }

  put({ group, topic, queueId }: GroupQueue, offset: number): void {
    const key = keyOf(group, topic, queueId)
    if (this.offsets.has(key) || this.offsets.size < this.limit) this.offsets.set(key, offset)
  }

  isPending(group: string, topic: string, queueId: number): boolean {
    return this.offsets.size > 0 && this.offsets.has(keyOf(group, topic, queueId))
  }

  /**
   * At a pull, whatever it asks for: the offset at which to go on, told once. Also who asks for just that offset must hear
   * of it, or it commits what it has not consumed yet of before the reset.
   */
  take({ group, topic, queueId }: GroupQueue): number | undefined {
    if (this.offsets.size === 0) return undefined
    const key = keyOf(group, topic, queueId)
    const offset = this.offsets.get(key)
    this.offsets.delete(key)
    return offset
  }

  /** What a topic of the same name will hold, nobody has reset. */
  deleteTopic(topic: string): void {
    this.dropWhere(key => key.startsWith(`${topic}@`))
  }

  deleteGroup(group: string): void {
    this.dropWhere(key => key.includes(`@${group}@`))
  }

  private dropWhere(isGone: (key: string) => boolean): void {
    for (const key of this.offsets.keys()) if (isGone(key)) this.offsets.delete(key)
  }
}

export interface GroupQueue {
  readonly group: string
  readonly topic: string
  readonly queueId: number
}

const keyOf = (group: string, topic: string, queueId: number): string => `${topic}@${group}@${queueId}`
