import type { Command } from '@skua-mq/protocol'
import { type Clock, NetError, type Timer } from '@skua-mq/runtime'

/** How late a time-out may be noticed: one timer serves all calls of a connection. */
const sweepMs = 50

interface Waiting {
  readonly deadline: number
  readonly timeoutMs: number
  resolve(reply: Command): void
  reject(error: Error): void
}

/** Requests of ours that wait for a reply, by opaque. Opaques begin at 1: ali-ons takes 0 for missing. */
export class PendingCalls {
  private readonly waiting = new Map<number, Waiting>()
  private readonly clock: Clock
  private readonly limit: number
  private timer: Timer | undefined
  private last = 0

  constructor(clock: Clock, limit: number) {
    this.clock = clock
    this.limit = limit
  }

  get size(): number {
    return this.waiting.size
  }

  nextOpaque(): number {
    this.last = this.last >= 0x7fff_fffe ? 1 : this.last + 1
    return this.last
  }

  wait(opaque: number, timeoutMs: number, signal?: AbortSignal): Promise<Command> {
    if (this.waiting.size >= this.limit) {
      return Promise.reject(new NetError('EBUSY', `maxPendingCalls (${this.limit}) requests wait for a reply already`))
    }
    return new Promise((resolve, reject) => {
      let stop: (() => void) | undefined
      if (signal !== undefined) {
        const onAbort = () => this.take(opaque)?.reject(signal.reason as Error)
        signal.addEventListener('abort', onAbort, { once: true })
        stop = () => signal.removeEventListener('abort', onAbort)
      }
      this.waiting.set(opaque, {
        deadline: this.clock.monotonic() + timeoutMs,
        timeoutMs,
        resolve: reply => {
          stop?.()
          resolve(reply)
        },
        reject: error => {
          stop?.()
          reject(error)
        },
      })
      this.arm(timeoutMs)
    })
  }

  /** False for a reply that nobody waits for (any more). */
  settle(reply: Command): boolean {
    const call = this.take(reply.opaque)
    call?.resolve(reply)
    return call !== undefined
  }

  /** The error is made only where somebody waits: thousands of connections may end in one turn. */
  failAll(errorOf: () => Error): void {
    this.timer?.cancel()
    this.timer = undefined
    if (this.waiting.size === 0) return
    const error = errorOf()
    const calls = [...this.waiting.values()]
    this.waiting.clear()
    for (const call of calls) call.reject(error)
  }

  private take(opaque: number): Waiting | undefined {
    const call = this.waiting.get(opaque)
    if (call === undefined) return undefined
    this.waiting.delete(opaque)
    if (this.waiting.size === 0) {
      this.timer?.cancel()
      this.timer = undefined
    }
    return call
  }

  private arm(ms: number): void {
    this.timer ??= this.clock.after(
      Math.min(ms, sweepMs),
      () => this.sweep(),
      () => this.restMs(),
    )
  }

  /** For how long no time is over. */
  private restMs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { deadline } of this.waiting.values()) first = Math.min(first, deadline)
    return first - this.clock.monotonic()
  }

  private sweep(): void {
    this.timer = undefined
    const now = this.clock.monotonic()
    for (const [opaque, call] of this.waiting) {
      if (call.deadline > now) continue
      this.waiting.delete(opaque)
      call.reject(new NetError('ETIMEOUT', `no reply within ${Math.round(call.timeoutMs)} ms`))
    }
    if (this.waiting.size > 0) this.arm(sweepMs)
  }
}
