import type { Clock } from '@skua-mq/runtime'

export interface CacheParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly keepMs: number
  readonly most: number
}

interface Entry<T> {
  readonly value: Promise<T>
  readonly untilMs: number
}

/** What was asked a moment ago. Those who ask together ask once; a failure is forgotten at once. */
export class Cache<T> {
  private readonly parts: CacheParts
  private readonly entries = new Map<string, Entry<T>>()

  constructor(parts: CacheParts) {
    this.parts = parts
  }

  get(key: string, load: () => Promise<T>): Promise<T> {
    const { clock, keepMs, most } = this.parts
    const now = clock.monotonic()
    const known = this.entries.get(key)
    if (known !== undefined && known.untilMs > now) return known.value
    this.entries.delete(key)
    const entry = { value: load(), untilMs: now + keepMs }
    this.entries.set(key, entry)
    entry.value.catch(() => {
      if (this.entries.get(key) === entry) this.entries.delete(key)
    })
    // The oldest stands first.
    if (this.entries.size > most) for (const oldest of this.entries.keys()) return this.dropped(oldest, entry)
    return entry.value
  }

  private dropped(key: string, { value }: Entry<T>): Promise<T> {
    this.entries.delete(key)
    return value
  }
}
