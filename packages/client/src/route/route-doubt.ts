import type { Clock, Random, Timer } from '@skua-mq/runtime'
import type { RouteTable } from './route-table.ts'

export interface RouteDoubtParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly random: Pick<Random, 'int'>
  readonly routes: Pick<RouteTable, 'addresses' | 'master' | 'topicOf' | 'known' | 'refresh'>
  /** To ask for all routes in use, and to greet whoever is new. */
  readonly changed: () => Promise<void>
  /** pollNameServerInterval: what is asked no more often than that comes by itself. */
  readonly pollMs: number
}

/** Pause between two questions: steps of a second while an election may be under way, then longer ones. */
const firstPauseMs = 1000
const shortPauses = 5

/**
 * A broker that cannot be reached, or says that it is a slave, may have a successor: the name servers are asked before it is time to, since
 * Java's rhythm of half a minute is longer than any election takes. One topic is asked for; where that has changed, all are.
 */
export class RouteDoubt {
  private readonly parts: RouteDoubtParts
  private readonly doubted = new Set<string>()
  private timer: Timer | undefined
  private asking: Promise<void> | undefined
  private askedMs = Number.NEGATIVE_INFINITY
  private step = 0
  private hasEnded = false

  constructor(parts: RouteDoubtParts) {
    this.parts = parts
  }

  /** `address`: of a broker, or of somebody else, who is none of our business. */
  unreached(address: string): void {
    for (const broker of this.parts.routes.addresses()) if (broker.address === address) this.doubt(broker.brokerName)
  }

  doubt(brokerName: string): void {
    if (this.hasEnded) return
    this.doubted.add(brokerName)
    if (this.parts.clock.monotonic() - this.askedMs > 2 * this.parts.pollMs) this.step = 0
    this.arm()
  }

  async stop(): Promise<void> {
    this.hasEnded = true
    this.timer?.cancel()
    await this.asking
  }

  private get pauseMs(): number {
    return Math.min(this.parts.pollMs, firstPauseMs * 2 ** Math.max(0, this.step - shortPauses))
  }

  private arm(): void {
    if (this.timer !== undefined || this.asking !== undefined || this.hasEnded) return
    const { clock, random } = this.parts
    // Not all clients of a broker at one time.
    const pauseMs = this.pauseMs * (0.75 + random.int(1000) / 2000)
    const ms = Math.max(0, this.askedMs + pauseMs - clock.monotonic())
    this.timer = clock.after(ms, () => {
      this.timer = undefined
      this.asking = this.ask().finally(() => {
        this.asking = undefined
        if (this.doubted.size > 0) this.arm()
      })
    })
  }

  private async ask(): Promise<void> {
    const { clock, routes, changed, pollMs } = this.parts
    const names = [...this.doubted]
    this.doubted.clear()
    const changes = await Promise.all(names.map(name => this.hasChanged(name)))
    this.askedMs = clock.monotonic()
    const isNew = changes.includes(true)
    this.step = isNew ? 0 : this.step + 1
    if (isNew) await changed()
    // Without a master it has none yet; of one that stands there as before nothing may be known yet.
    for (const name of names)
      if (routes.master(name) === undefined ? this.pauseMs < pollMs : !isNew && this.step < shortPauses)
        this.doubted.add(name)
  }

  private async hasChanged(brokerName: string): Promise<boolean> {
    const { routes } = this.parts
    const topic = routes.topicOf(brokerName)
    if (topic === undefined) return false
    const before = routes.known(topic)
    // Who does not answer is told of by the next regular round.
    const found = await routes.refresh(topic).catch(() => before)
    return found !== undefined && found !== before
  }
}
