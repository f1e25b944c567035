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
/** Of their names together, which are as long as producers like. */
const maxNamesLength = 64 * 1024 * 1024

/** Half messages whose producers have not decided, since END_TRANSACTION needs their places. */
export class HalfMessages {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly halves = new Map<string, HalfMessage & { readonly untilMs: number }>()
  private namesLength = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock
  }

  put(topic: string, transactionId: string, half: HalfMessage): void {
    const now = this.clock.monotonic()
    const key = keyOf(topic, transactionId)
    this.drop(key)
    this.halves.set(key, { ...half, untilMs: now + keepMs })
    this.namesLength += key.length
    // The oldest stand first.
    for (const [oldest, { untilMs }] of this.halves) {
      if (untilMs > now && this.halves.size <= maxHalves && this.namesLength <= maxNamesLength) break
      this.drop(oldest)
    }
  }

  private drop(key: string): void {
    if (this.halves.delete(key)) this.namesLength -= key.length
  }

  take(topic: string, transactionId: string): HalfMessage | undefined {
    const key = keyOf(topic, transactionId)
    const half = this.halves.get(key)
    if (half === undefined || half.untilMs <= this.clock.monotonic()) return undefined
    return half
  }
}

const keyOf = (topic: string, transactionId: string): string => `${topic} ${transactionId}`
