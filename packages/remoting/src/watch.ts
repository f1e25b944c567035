import type { Clock } from '@skua-mq/runtime'
import { Waits } from './waits.ts'

/** What became of the answer: `oneway`: nobody waits for one; `lost`: the connection was gone. */
export type ExchangeResult = 'success' | 'oneway' | 'lost'

/** A request and its answer. One object is reused: it is valid until `answered` returns. */
export interface Exchange {
  readonly requestCode: number
  readonly responseCode: number
  /** Milliseconds with a fraction, from the whole request to the answer that is ready to be sent. */
  readonly tookMs: number
  /** It was held for a while, as a pull is. */
  readonly wasHeld: boolean
  readonly result: ExchangeResult
}

/** Told of every request that is answered, on the hot path: it must count and return. */
export interface RequestObserver {
  answered(exchange: Exchange): void
}

/** A request that took long, and what for. Valid until `slow` returns. */
export interface SlowExchange {
  readonly requestCode: number
  readonly responseCode: number
  /** Who asked, host:port. */
  readonly peer: string
  /** From its last byte to the answer, without the time for which it was held. */
  readonly tookMs: number
  /** When its work began and when it was answered, on the monotonic clock. */
  readonly beganMs: number
  readonly endedMs: number
  /** For how long it waited behind others before that. */
  readonly queuedMs: number
  readonly waits: Waits
  /** For how long its handler has kept the loop at its begin, as far as that is known. */
  readonly handledMs: number
}

/** Told of requests that took long; rare. */
export interface SlowObserver {
  /** Asked for each request; 0: nobody is told. */
  readonly slowMs: number
  slow(exchange: SlowExchange): void
}

/** Takes the times for observers. Without one, or with one that wants to hear of nothing, the clock is not asked. */
export class Watch {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly observer: RequestObserver | undefined
  private readonly slow: SlowObserver | undefined
  private readonly exchange = {
    requestCode: 0,
    responseCode: 0,
    tookMs: 0,
    wasHeld: false,
    result: 'success' as ExchangeResult,
  }

  constructor(
    clock: Pick<Clock, 'monotonic'>,
    { observer, slow }: { readonly observer?: RequestObserver | undefined; readonly slow?: SlowObserver | undefined },
  ) {
    this.clock = clock
    this.observer = observer
    this.slow = slow
  }

  /** When a request of this channel begins, which read a clock when it was given its bytes; 0 where nobody watches. */
  beginOf({ handlingSinceMs }: Peer): number {
    if (this.observer !== undefined) return this.clock.monotonic()
    return this.slow !== undefined && this.slow.slowMs > 0 ? handlingSinceMs : 0
  }

  now(): number {
    return this.clock.monotonic()
  }

  answered(request: Watched, responseCode: number, { peer, result }: { peer: Peer; result: ExchangeResult }): void {
    if (request.beganMs === 0 || this.isSurelyQuick(request, peer)) return
    const now = this.clock.monotonic()
    if (this.observer !== undefined) {
      const { exchange } = this
      exchange.requestCode = request.code
      exchange.responseCode = responseCode
      exchange.tookMs = now - request.beganMs
      exchange.wasHeld = request.wasHeld
      exchange.result = result
      this.observer.answered(exchange)
    }
    const slowMs = this.slow?.slowMs ?? 0
    if (slowMs > 0 && now - request.cameMs >= slowMs) this.tellSlow(request, responseCode, { peer, now })
  }

  /**
   * A reading of the clock costs as much as a hundredth of a send: where nobody counts, it is left out for what was answered
   * before anybody else had a word, and has waited for nothing. A loop that was blocked for it is told apart from requests.
   */
  private isSurelyQuick({ waits, cameMs }: Watched, peer: Peer): boolean {
    if (this.observer !== undefined || waits === undefined || this.slow === undefined) return false
    const waited = waits.write + waits.flush + waits.slave + waits.read + waits.announce
    return Math.max(waited, peer.seenMs - cameMs) < this.slow.slowMs
  }

  private tellSlow(request: Watched, responseCode: number, { peer, now }: { peer: Peer; now: number }): void {
    const slow = this.slow as SlowObserver
    const waits = request.waits ?? noWaits
    const tookMs = now - request.cameMs - waits.held
    if (tookMs < slow.slowMs) return
    slow.slow({
      ...{ requestCode: request.code, responseCode, peer: peer.peer, tookMs, waits },
      ...{ beganMs: request.beganMs, endedMs: now, queuedMs: request.beganMs - request.cameMs },
      // What is answered before the loop did anything else has had the loop for itself.
      handledMs: peer.isHandling ? tookMs : (request.handledMs ?? 0),
    })
  }
}

const noWaits = new Waits()

/** What a watch asks of a channel. */
export interface Peer {
  readonly peer: string
  readonly handlingSinceMs: number
  readonly isHandling: boolean
  readonly seenMs: number
}

/** What is remembered of a request until it is answered. */
export interface Watched {
  readonly code: number
  /** 0 where nobody watches. */
  readonly beganMs: number
  /** When its bytes came; before `beganMs` where they waited. */
  readonly cameMs: number
  readonly wasHeld: boolean
  readonly waits?: Waits
  readonly handledMs?: number
}

export const resultOf = (isOneway: boolean, isOpen: boolean): ExchangeResult =>
  isOneway ? 'oneway' : isOpen ? 'success' : 'lost'
