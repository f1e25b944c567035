import type { Clock } from '@skua-mq/runtime'
import { Refused } from '../refused.ts'

export interface CacheParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly keepMs: number
  readonly most: number
}

interface Entry<T> {
  readonly value: Promise<T>
  untilMs: number
  /** While somebody is asked again. */
  refreshing: Promise<T> | undefined
}

/**
 * What was asked a moment ago. Those who ask together ask once; a first failure is forgotten at once. What is older is
 * asked again beside, and believed until the answer is there, or for as long as nobody answers: a name server that is
 * away must not stop those who know their way.
 */
export class Cache<T> {
  private readonly parts: CacheParts
  private readonly entries = new Map<string, Entry<T>>()

  constructor(parts: CacheParts) {
    this.parts = parts
  }

  get(key: string, load: () => Promise<T>): Promise<T> {
    const { clock, keepMs } = this.parts
    const now = clock.monotonic()
    const known = this.entries.get(key)
    if (known === undefined) return this.first(key, load)
    if (known.untilMs > now) return known.value
    known.refreshing ??= this.refresh(key, known, load)
    return known.untilMs + keepMs > now ? known.value : known.refreshing
  }

  private first(key: string, load: () => Promise<T>): Promise<T> {
    const value = load()
    const entry = this.put(key, value)
    value.catch(() => {
      if (this.entries.get(key) === entry) this.entries.delete(key)
    })
    return value
  }

  private refresh(key: string, known: Entry<T>, load: () => Promise<T>): Promise<T> {
    const refreshed = load().then(
      value => {
        if (this.entries.get(key) === known) this.put(key, Promise.resolve(value))
        return value
      },
      error => {
        known.refreshing = undefined
        if (error instanceof Refused) {
          if (this.entries.get(key) === known) this.entries.delete(key)
          throw error
        }
        known.untilMs = this.parts.clock.monotonic() + this.parts.keepMs / 4
        return known.value
      },
    )
    refreshed.catch(() => {})
    return refreshed
  }

  private put(key: string, value: Promise<T>): Entry<T> {
    const { clock, keepMs, most } = this.parts
    const entry = { value, untilMs: clock.monotonic() + keepMs, refreshing: undefined }
    this.entries.delete(key)
    this.entries.set(key, entry)
    // The oldest stands first.
    if (this.entries.size > most) for (const oldest of this.entries.keys()) return this.without(oldest, entry)
    return entry
  }

  private without(key: string, entry: Entry<T>): Entry<T> {
    this.entries.delete(key)
    return entry
  }
}
