import type { Clock } from '@skua-mq/runtime'

/** Where a half message lies. */
export interface HalfMessage {
  readonly brokerAddress: string
  readonly tranStateTableOffset: number
  readonly commitLogOffset: number
}

/** How long the end of a transaction is waited for (grpc.md 11); a check of the broker brings it back. */
const keepMs = 30_000
const maxHalves = 200_000

/** Half messages whose producers have not decided, since END_TRANSACTION needs their places. */
export class HalfMessages {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly halves = new Map<string, HalfMessage & { readonly untilMs: number }>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock
  }

  put(topic: string, transactionId: string, half: HalfMessage): void {
    const now = this.clock.monotonic()
    const key = keyOf(topic, transactionId)
    this.halves.delete(key)
    this.halves.set(key, { ...half, untilMs: now + keepMs })
    // The oldest stand first.
    for (const [oldest, { untilMs }] of this.halves) {
      if (untilMs > now && this.halves.size <= maxHalves) break
      this.halves.delete(oldest)
    }
  }

  take(topic: string, transactionId: string): HalfMessage | undefined {
    const key = keyOf(topic, transactionId)
    const half = this.halves.get(key)
    if (half === undefined || half.untilMs <= this.clock.monotonic()) return undefined
    return half
  }
}

const keyOf = (topic: string, transactionId: string): string => `${topic} ${transactionId}`
