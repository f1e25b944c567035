import { type Clock, NodeClock } from '@skua-mq/runtime'
import type { IdempotentStore } from './store.ts'

/** Limits of a `MemoryIdempotentStore`. */
export interface MemoryIdempotentOptions {
  /** Keys that are remembered; the oldest are forgotten first. Default 100000. */
  readonly maxKeys?: number
  /** How long a key is remembered, ms. Default one day. */
  readonly ttlMs?: number
  readonly clock?: Clock
}

/** For one process, while it lives. */
export class MemoryIdempotentStore implements IdempotentStore {
  private readonly maxKeys: number
  private readonly ttlMs: number
  private readonly clock: Clock
  private readonly running = new Set<string>()
  /** Key to the time at which it was done; in that order. */
  private readonly handled = new Map<string, number>()

  constructor(options: MemoryIdempotentOptions = {}) {
    this.maxKeys = options.maxKeys ?? 100_000
    this.ttlMs = options.ttlMs ?? 86_400_000
    this.clock = options.clock ?? new NodeClock()
  }

  async begin(key: string): Promise<'new' | 'done' | 'running'> {
    this.expire()
    if (this.handled.has(key)) return 'done'
    if (this.running.has(key)) return 'running'
    this.running.add(key)
    return 'new'
  }

  async done(key: string): Promise<void> {
    this.running.delete(key)
    this.remember(key, this.clock.now())
  }

  async failed(key: string): Promise<void> {
    this.running.delete(key)
  }

  /** Keys in the order in which they were done, with their times. */
  entries(): IterableIterator<[string, number]> {
    return this.handled.entries()
  }

  get size(): number {
    return this.handled.size
  }

  /** 0 for a key that is not remembered. */
  doneAtMs(key: string): number {
    return this.handled.get(key) ?? 0
  }

  /** For stores that read their keys from elsewhere. */
  remember(key: string, atMs: number): void {
    this.handled.delete(key)
    this.handled.set(key, atMs)
    if (this.handled.size > this.maxKeys)
      for (const oldest of this.handled.keys()) return void this.handled.delete(oldest)
  }

  private expire(): void {
    const limit = this.clock.now() - this.ttlMs
    for (const [key, at] of this.handled) {
      if (at > limit) return
      this.handled.delete(key)
    }
  }
}
