import type { MessageQueue } from '@skua-mq/protocol'
import { type Clock, delay } from '@skua-mq/runtime'
import type { Process } from '../consume/owned-queues.ts'
import type { ReceivedMessage } from '../message/received.ts'

export interface Pulled {
  readonly queue: MessageQueue
  readonly process: Process
  readonly messages: readonly ReceivedMessage[]
}

/** Pulled batches in front of `poll`. */
export class Inbox {
  private readonly clock: Clock
  private readonly batches: Pulled[] = []
  private readonly waiting: (() => void)[] = []
  /** Messages that wait. */
  size = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  put(pulled: Pulled): void {
    this.batches.push(pulled)
    this.size += pulled.messages.length
    this.waiting.shift()?.()
  }

  /** The next batch of a queue that is still ours; undefined when none came in time. Rejects with the signal's reason. */
  async take(timeoutMs: number, signal?: AbortSignal): Promise<Pulled | undefined> {
    const deadline = this.clock.monotonic() + timeoutMs
    for (;;) {
      if (signal?.aborted) {
        // A batch that woke this one is the next one's.
        if (this.batches.length > 0) this.waiting.shift()?.()
        throw signal.reason
      }
      const found = this.next()
      if (found !== undefined) return found
      const left = deadline - this.clock.monotonic()
      if (left <= 0) return undefined
      await this.arrival(left, signal)
    }
  }

  /** Batches of this queue are not wanted any more. */
  discard(process: Process): void {
    for (let i = this.batches.length - 1; i >= 0; i--) {
      const batch = this.batches[i]!
      if (batch.process !== process) continue
      this.size -= batch.messages.length
      this.batches.splice(i, 1)
    }
  }

  /** Lets all waiting polls look again. */
  wake(): void {
    for (const wake of this.waiting.splice(0)) wake()
  }

  private next(): Pulled | undefined {
    for (let batch = this.batches.shift(); batch !== undefined; batch = this.batches.shift()) {
      this.size -= batch.messages.length
      if (!batch.process.dropped) return batch
    }
    return undefined
  }

  private async arrival(ms: number, signal?: AbortSignal): Promise<void> {
    const stop = new AbortController()
    let wake = () => {}
    const arrived = new Promise<void>(resolve => {
      wake = resolve
      this.waiting.push(resolve)
    })
    const onAbort = () => wake()
    signal?.addEventListener('abort', onAbort, { once: true })
    await Promise.race([arrived, delay(this.clock, ms, stop.signal).catch(() => {})])
    stop.abort()
    signal?.removeEventListener('abort', onAbort)
    const at = this.waiting.indexOf(wake)
    if (at >= 0) this.waiting.splice(at, 1)
  }
}
