import type { Clock } from '@skua-mq/runtime'

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

/** Takes the times for an observer. Without one there is none of it, and the clock is not asked. */
export class Watch {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly observer: RequestObserver
  private readonly exchange = {
    requestCode: 0,
    responseCode: 0,
    tookMs: 0,
    wasHeld: false,
    result: 'success' as ExchangeResult,
  }

  constructor(clock: Pick<Clock, 'monotonic'>, observer: RequestObserver) {
    this.clock = clock
    this.observer = observer
  }

  /** When a request begins. */
  now(): number {
    return this.clock.monotonic()
  }

  answered(request: Watched, responseCode: number, result: ExchangeResult): void {
    const { exchange } = this
    exchange.requestCode = request.code
    exchange.responseCode = responseCode
    exchange.tookMs = this.clock.monotonic() - request.beganMs
    exchange.wasHeld = request.wasHeld
    exchange.result = result
    this.observer.answered(exchange)
  }
}

/** What is remembered of a request until it is answered. */
export interface Watched {
  readonly code: number
  readonly beganMs: number
  readonly wasHeld: boolean
}

export const resultOf = (isOneway: boolean, isOpen: boolean): ExchangeResult =>
  isOneway ? 'oneway' : isOpen ? 'success' : 'lost'
