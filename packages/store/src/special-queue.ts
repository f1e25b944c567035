import { type PropertyScan, PropertySlot } from '@skua-mq/protocol'

/**
 * A topic whose queues carry something of their own where all others carry the hash of the tags. Whoever knows what it
 * means gives it to the store; it may only ask what a record itself says, since queues are made again from the log.
 */
export interface SpecialQueue {
  readonly topic: string
  /** What the unit of a record carries, an integer; undefined: the hash of its tags. `properties`: the record's, scanned. */
  tagsCodeOf(record: { readonly storedAtMs: number }, properties: PropertyScan): number | undefined
}

/** Delayed messages by level: each unit carries the time of delivery (store.md 3.2). */
export class DelayQueue implements SpecialQueue {
  readonly topic: string
  private readonly levels: readonly number[]

  /** `levels`: milliseconds, level 1 first. */
  constructor(topic: string, levels: readonly number[]) {
    this.topic = topic
    this.levels = levels
  }

  tagsCodeOf(record: { readonly storedAtMs: number }, properties: PropertyScan): number | undefined {
    const level = properties.number(PropertySlot.delay) ?? 0
    return level > 0 ? record.storedAtMs + this.delayOf(level) : undefined
  }

  /** Levels above the highest count as the highest. */
  private delayOf(level: number): number {
    return this.levels[Math.min(level, this.levels.length) - 1] ?? 1000
  }
}
