import type { Clock, Timer } from '@skua-mq/runtime'
import type { Entry, Registry, RegistrySession, RegistryWrite } from './registry.ts'

interface Kept extends Entry {
  readonly session: MemorySession | undefined
}

/** A registry in memory, for simulations and for brokers of one process: each of them gets a view of its own, which can be cut off. */
export class MemoryRegistry {
  private readonly clock: Clock
  private readonly kept = new Map<string, Kept>()
  private revision = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** As one broker sees it. While `isCutOff` says so, nobody answers. */
  view(isCutOff: () => boolean = () => false): Registry {
    const check = () => {
      if (isCutOff()) throw new Error('the registry does not answer')
    }
    return {
      read: async () => {
        check()
        return new Map(this.kept)
      },
      open: async ttlMs => {
        check()
        return new MemorySession({
          clock: this.clock,
          ttlMs,
          check,
          commit: (...of) => this.commit(...of),
          end: of => this.end(of),
        })
      },
    }
  }

  private commit({ when, put = {}, putForSession = {} }: RegistryWrite, session: MemorySession): boolean {
    for (const [key, revision] of Object.entries(when))
      if ((this.kept.get(key)?.revision ?? 0) !== revision) return false
    this.revision++
    const { revision } = this
    for (const [key, value] of Object.entries(put)) this.kept.set(key, { value, revision, session: undefined })
    for (const [key, value] of Object.entries(putForSession)) this.kept.set(key, { value, revision, session })
    return true
  }

  private end(session: MemorySession): void {
    for (const [key, entry] of this.kept) if (entry.session === session) this.kept.delete(key)
  }
}

class MemorySession implements RegistrySession {
  readonly ttlMs: number
  private readonly parts: {
    readonly clock: Clock
    readonly check: () => void
    readonly commit: (change: RegistryWrite, session: MemorySession) => boolean
    readonly end: (session: MemorySession) => void
  }
  private timer: Timer | undefined
  private hasEnded = false

  constructor(parts: MemorySession['parts'] & { readonly ttlMs: number }) {
    this.parts = parts
    this.ttlMs = parts.ttlMs
    this.arm()
  }

  async renew(): Promise<boolean> {
    this.parts.check()
    if (!this.hasEnded) this.arm()
    return !this.hasEnded
  }

  async write(change: RegistryWrite): Promise<boolean> {
    this.parts.check()
    if (this.hasEnded) return false
    return this.parts.commit(change, this)
  }

  async close(): Promise<void> {
    this.parts.check()
    this.ended()
  }

  private arm(): void {
    this.timer?.cancel()
    this.timer = this.parts.clock.after(this.ttlMs, () => this.ended())
  }

  private ended(): void {
    this.timer?.cancel()
    this.hasEnded = true
    this.parts.end(this)
  }
}
