import type { Clock, Timer } from '../clock.ts'

/** Node stores a delay in 32 bits and fires at once above this. */
const longestNodeDelayMs = 2 ** 31 - 1

class NodeTimer implements Timer {
  private handle: NodeJS.Timeout
  private leftMs: number
  private readonly body: () => void

  constructor(ms: number, body: () => void) {
    this.leftMs = ms
    this.body = body
    this.handle = this.arm()
  }

  cancel(): void {
    clearTimeout(this.handle)
  }

  private arm(): NodeJS.Timeout {
    if (this.leftMs <= longestNodeDelayMs) return setTimeout(this.body, this.leftMs)
    return setTimeout(() => {
      this.leftMs -= longestNodeDelayMs
      this.handle = this.arm()
    }, longestNodeDelayMs)
  }
}

/** The machine's clock and Node's timers. A timer keeps the process alive until it ran or was cancelled. */
export class NodeClock implements Clock {
  now(): number {
    return Date.now()
  }

  monotonic(): number {
    return performance.now()
  }

  after(ms: number, run: () => void): Timer {
    return new NodeTimer(ms, run)
  }
}
