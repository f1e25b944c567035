import { type Clock, every, type Timer } from '@skua-mq/runtime'
import { expiryOf, type Handle, printHandle } from '../message/handle.ts'
import type { GatewayConfig } from '../options.ts'
import type { Brokers } from '../remote/brokers.ts'
import type { GrpcClient } from './client.ts'

/** Whoever works on a message. */
export type Worker = Pick<GrpcClient, 'account' | 'hasLeft'>

/** A message that somebody works on, whose invisible time the server prolongs. */
export interface Renewed {
  readonly client: Worker
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
  readonly key: string
  readonly sinceMs: number
  times: number
  failures: number
  /** While a broker is asked. */
  changing: Promise<void> | undefined
}

/** A message that is no longer renewed, since its client settles it. */
export interface Settling {
  /** The handle that counts by now. */
  readonly handle: Handle
  /** It is settled, or nobody tries any more: who names the same handle goes on. */
  done(): void
  /** It could not be settled: the client works on it still, and may try again; of one that is gone, others get it soon. */
  putBack(): Promise<void>
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
/** Questions to brokers that are under way at once: a connection has no more than maxPendingCalls. */
const atOnce = 1000
/** How long messages of one client are given back; what is left then comes again by itself. */
const maxReleaseMs = 5000

/** Keeps messages invisible for as long as push consumers work on them. */
export class Renewals {
  private readonly parts: RenewalsParts
  private readonly entries = new Map<string, Entry>()
  private readonly clients = new Map<Worker, Set<Entry>>()
  /** Those that somebody settles, by the handles that clients were told. */
  private readonly settling = new Map<string, Promise<void>>()
  /** Brokers at which messages are being renewed. */
  private readonly busy = new Set<string>()
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

  /** Renews it from now on, as long as its client is there, and there is room. */
  add(renewed: Renewed): void {
    const key = keyOf(renewed.client, renewed.group, printHandle(renewed.handle))
    const sinceMs = this.parts.clock.monotonic()
    this.enter({ ...renewed, key, sinceMs, times: 0, failures: 0, changing: undefined })
  }

  private enter(entry: Entry): void {
    if (entry.client.hasLeft || this.entries.size >= this.parts.config.grpcMaxRenewedHandles) return
    this.entries.set(entry.key, entry)
    const own = this.clients.get(entry.client)
    if (own === undefined) this.clients.set(entry.client, new Set([entry]))
    else own.add(entry)
  }

  private forget(entry: Entry): void {
    if (this.entries.get(entry.key) === entry) this.entries.delete(entry.key)
    const own = this.clients.get(entry.client)
    own?.delete(entry)
    if (own?.size === 0) this.clients.delete(entry.client)
  }

  /**
   * Stops renewing it; `given` is the handle that the client was told, which after a renewal is not the one that counts: who asks once
   * more, while it is being settled, waits for what comes of that. A broker would say yes to the handle of before.
   */
  async take(client: Pick<Worker, 'account'>, group: string, given: string): Promise<Settling | undefined> {
    const key = keyOf(client, group, given)
    for (let other = this.settling.get(key); other !== undefined; other = this.settling.get(key)) await other
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    this.forget(entry)
    let end = () => {}
    const settled = new Promise<void>(resolve => {
      end = resolve
    })
    this.settling.set(key, settled)
    const done = () => {
      if (this.settling.get(key) === settled) this.settling.delete(key)
      end()
    }
    await entry.changing
    const putBack = () => {
      const back = this.putBack(entry)
      done()
      return back
    }
    return { handle: entry.handle, done, putBack }
  }

  private async putBack(entry: Entry): Promise<void> {
    this.enter(entry)
    if (entry.client.hasLeft) await this.parts.change(entry, soonMs).catch(() => {})
  }

  /** A client is gone: another one gets its messages soon. */
  async release(client: Worker): Promise<void> {
    const own = [...(this.clients.get(client) ?? [])]
    for (const entry of own) this.forget(entry)
    const untilMs = this.parts.clock.monotonic() + maxReleaseMs
    const giveBack = async (entry: Entry) => {
      await entry.changing
      if (this.parts.clock.monotonic() < untilMs) await this.parts.change(entry, soonMs).catch(() => {})
    }
    await Promise.all([...byBroker(own).values()].map(each => inLumps(each, giveBack)))
  }

  /** A broker that does not answer holds up nothing of another one. */
  private round(): undefined {
    const { clock, config } = this.parts
    const soon = clock.now() + config.renewAheadTimeMillis
    const due = [...this.entries.values()].filter(entry => expiryOf(entry.handle) < soon)
    for (const [broker, own] of byBroker(due)) {
      if (this.busy.has(broker)) continue
      this.busy.add(broker)
      void inLumps(own, entry => this.renew(entry)).finally(() => this.busy.delete(broker))
    }
  }

  private async renew(entry: Entry): Promise<void> {
    if (entry.changing !== undefined || this.entries.get(entry.key) !== entry) return
    entry.changing = this.prolong(entry)
    await entry.changing
    entry.changing = undefined
  }

  private async prolong(entry: Entry): Promise<void> {
    const { clock, config, change, retryMs } = this.parts
    try {
      if (clock.monotonic() - entry.sinceMs > config.renewMaxTimeMillis) {
        this.forget(entry)
        await change(entry, await retryMs(entry))
        return
      }
      entry.handle = await change(entry, stepsMs[Math.min(entry.times, stepsMs.length - 1)]!)
      entry.times++
      entry.failures = 0
    } catch {
      if (++entry.failures >= maxFailures) this.forget(entry)
    }
  }
}

function byBroker(all: readonly Entry[]): Map<string, Entry[]> {
  const brokers = new Map<string, Entry[]>()
  for (const entry of all) {
    const { brokerName } = entry.handle
    const own = brokers.get(brokerName)
    if (own === undefined) brokers.set(brokerName, [entry])
    else own.push(entry)
  }
  return brokers
}

async function inLumps<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += atOnce) await Promise.all(all.slice(at, at + atOnce).map(work))
}

/** Handles are no secrets: who names that of another account has none of its messages. */
const keyOf = ({ account }: Pick<Worker, 'account'>, group: string, handle: string): string =>
  `${account} ${group} ${handle}`
