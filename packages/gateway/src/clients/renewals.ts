import { type Clock, every, type Timer } from '@skua-mq/runtime'
import { expiryOf, type Handle, printHandle } from '../message/handle.ts'
import type { GatewayConfig } from '../options.ts'
import type { Brokers } from '../remote/brokers.ts'

/** A message that somebody works on, whose invisible time the server prolongs. */
export interface Renewed {
  readonly clientId: string
  /** In the name of whoever received it. */
  readonly brokers: Brokers
  readonly topic: string
  readonly group: string
  readonly address: string
  /** The newest. */
  handle: Handle
  readonly attempt: number
}

interface Entry extends Renewed {
  /** As the client has it. */
  readonly given: string
  readonly sinceMs: number
  times: number
  failures: number
  /** While a broker is asked. */
  changing: Promise<void> | undefined
}

export interface RenewalsParts {
  readonly clock: Clock
  readonly config: GatewayConfig
  readonly change: (renewed: Renewed, invisibleMs: number) => Promise<Handle>
  /** How long a group waits before it takes a message again that was let go. */
  readonly retryMs: (renewed: Renewed) => Promise<number>
}

/** What a renewal adds, each time (grpc.md 9). */
const stepsMs = [60_000, 180_000, 300_000, 600_000, 1_800_000, 3_600_000]
const maxFailures = 3
/** How soon messages of a client that is gone come to another one. */
const soonMs = 1000

/** Keeps messages invisible for as long as push consumers work on them. */
export class Renewals {
  private readonly parts: RenewalsParts
  private readonly entries = new Map<string, Entry>()
  private timer: Timer | undefined

  constructor(parts: RenewalsParts) {
    this.parts = parts
  }

  get size(): number {
    return this.entries.size
  }

  start(): void {
    this.timer = every(this.parts.clock, this.parts.config.renewSchedulePeriodMillis, () => this.round())
  }

  stop(): void {
    this.timer?.cancel()
  }

  add(renewed: Renewed): void {
    if (this.entries.size >= this.parts.config.grpcMaxRenewedHandles) return
    const given = printHandle(renewed.handle)
    const sinceMs = this.parts.clock.monotonic()
    this.entries.set(keyOf(renewed.group, given), {
      ...renewed,
      given,
      sinceMs,
      times: 0,
      failures: 0,
      changing: undefined,
    })
  }

  /** Stops renewing it; resolves to the handle that counts by now, which is not the client's after a renewal. */
  async take(group: string, given: string): Promise<Handle | undefined> {
    const key = keyOf(group, given)
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    this.entries.delete(key)
    await entry.changing
    return entry.handle
  }

  /** A client is gone: another one gets its messages soon. */
  async release(clientId: string): Promise<void> {
    const own = [...this.entries].filter(([, entry]) => entry.clientId === clientId)
    for (const [key] of own) this.entries.delete(key)
    for (const [, entry] of own) {
      await entry.changing
      await this.parts.change(entry, soonMs).catch(() => {})
    }
  }

  private async round(): Promise<void> {
    const { clock, config } = this.parts
    const soon = clock.now() + config.renewAheadTimeMillis
    const due = [...this.entries].filter(([, entry]) => expiryOf(entry.handle) < soon)
    await Promise.all(due.map(([key, entry]) => this.renew(key, entry)))
  }

  private async renew(key: string, entry: Entry): Promise<void> {
    if (entry.changing !== undefined || this.entries.get(key) !== entry) return
    entry.changing = this.prolong(key, entry)
    await entry.changing
    entry.changing = undefined
  }

  private async prolong(key: string, entry: Entry): Promise<void> {
    const { clock, config, change, retryMs } = this.parts
    try {
      if (clock.monotonic() - entry.sinceMs > config.renewMaxTimeMillis) {
        this.entries.delete(key)
        await change(entry, await retryMs(entry))
        return
      }
      entry.handle = await change(entry, stepsMs[Math.min(entry.times, stepsMs.length - 1)]!)
      entry.times++
      entry.failures = 0
    } catch {
      if (++entry.failures >= maxFailures) this.entries.delete(key)
    }
  }
}

const keyOf = (group: string, handle: string): string => `${group} ${handle}`
