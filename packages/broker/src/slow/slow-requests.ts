import { requestByCode } from '@skua-mq/protocol'
import type { SlowExchange, SlowObserver } from '@skua-mq/remoting'
import { type Clock, defineEvent, type Events } from '@skua-mq/runtime'
import { LoopStalls } from './loop-stalls.ts'

/** What a slow request waited for longest, in words. */
const causes = {
  queuedMs: 'waited behind other requests',
  writeMs: 'waited for the write to the commit log',
  flushMs: 'waited for the fdatasync',
  slaveMs: 'waited for the slave',
  readMs: 'waited for reads from the disk',
  announceMs: 'waited for the name servers',
  loopMs: 'the loop was blocked',
  handlerMs: 'its handler',
} as const
type Part = keyof typeof causes

/** No part of a message, and no field of a request, is ever among these. */
export const slowRequest = defineEvent<Record<string, string | number>>('slow request', 'warn')
export const loopBlocked = defineEvent<{ ms: number; leftOut: number }>('the event loop was blocked', 'warn')

/** So many lines in so long a time; the next one says how many were left out. */
export const slowLines = 10
export const slowLinesMs = 10_000

/** Says of requests that took longer than `slowRequestMs` what they waited for. */
export class SlowRequests implements SlowObserver {
  private readonly config: { readonly slowRequestMs: number }
  private readonly clock: Pick<Clock, 'monotonic' | 'after'>
  private readonly events: Events
  private readonly stalls: LoopStalls
  private sinceMs = Number.NEGATIVE_INFINITY
  private lines = 0
  private leftOut = 0

  constructor(
    config: { readonly slowRequestMs: number },
    { clock, events }: { readonly clock: Pick<Clock, 'monotonic' | 'after'>; readonly events: Events },
  ) {
    this.config = config
    this.clock = clock
    this.events = events
    this.stalls = new LoopStalls(clock, ms => this.blocked(ms))
  }

  get slowMs(): number {
    return this.config.slowRequestMs
  }

  /** Begins, or ends, as the configuration says. */
  follow(): void {
    if (this.slowMs > 0) this.stalls.start()
    else this.stalls.stop()
  }

  stop(): void {
    this.stalls.stop()
  }

  slow(exchange: SlowExchange): void {
    if (!this.hasLine()) return
    const parts = this.partsOf(exchange)
    const longest = (Object.keys(parts) as Part[]).reduce((best, part) => (parts[part] > parts[best] ? part : best))
    const shown = Object.entries(parts)
      .map(([part, ms]) => [part, Math.round(ms)] as const)
      .filter(([, ms]) => ms > 0)
    const { requestCode, responseCode, peer, tookMs } = exchange
    this.events.emit(
      slowRequest({
        request: requestByCode(requestCode)?.name ?? String(requestCode),
        ...{ responseCode, peer, tookMs: Math.round(tookMs), cause: causes[longest] },
        ...Object.fromEntries(shown),
        ...(this.leftOut > 0 ? { leftOut: this.leftOut } : {}),
      }),
    )
    this.leftOut = 0
  }

  /** All parts together are no more than the whole: what blocked the loop while something else was waited for counts there. */
  private partsOf({ tookMs, queuedMs, waits, beganMs, endedMs, handledMs }: SlowExchange): Record<Part, number> {
    const { write: writeMs, flush: flushMs, slave, read: readMs, announce: announceMs } = waits
    // Both are waited for at once; the slave's part is what came behind the fdatasync.
    const slaveMs = Math.max(0, slave - flushMs)
    const left = Math.max(0, tookMs - queuedMs - writeMs - flushMs - slaveMs - readMs - announceMs)
    const loopMs = Math.max(0, Math.min(left, this.stalls.within(beganMs, endedMs)) - handledMs)
    return { queuedMs, writeMs, flushMs, slaveMs, readMs, announceMs, loopMs, handlerMs: left - loopMs }
  }

  private blocked(ms: number): void {
    if (ms < this.slowMs || !this.hasLine()) return
    this.events.emit(loopBlocked({ ms: Math.round(ms), leftOut: this.leftOut }))
    this.leftOut = 0
  }

  private hasLine(): boolean {
    const now = this.clock.monotonic()
    if (now - this.sinceMs >= slowLinesMs) {
      this.sinceMs = now
      this.lines = 0
    }
    if (this.lines++ < slowLines) return true
    this.leftOut++
    return false
  }
}
