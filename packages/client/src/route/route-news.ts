import type { Clock } from '@skua-mq/runtime'

/** Whoever waits a while after a failure goes on as soon as brokers are known to be elsewhere: another one may have become the master. */
export class RouteNews {
  private readonly clock: Pick<Clock, 'after'>
  private readonly waiting = new Set<() => void>()

  constructor(clock: Pick<Clock, 'after'>) {
    this.clock = clock
  }

  arrived(): void {
    for (const wake of [...this.waiting]) wake()
  }

  /** Resolves after `ms`, or with the next news. Rejects with the reason of `signal`. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled = (settle: () => void) => () => {
        timer.cancel()
        this.waiting.delete(wake)
        signal.removeEventListener('abort', abort)
        settle()
      }
      const wake = settled(resolve)
      const abort = settled(() => reject(signal.reason))
      const timer = this.clock.after(ms, wake)
      this.waiting.add(wake)
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
    })
  }
}
