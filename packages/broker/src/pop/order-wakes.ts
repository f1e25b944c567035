import type { Clock, Timer } from '@skua-mq/runtime'
import type { HeldPops } from './held-pops.ts'
import type { OrderPlace } from './order-table.ts'

export interface OrderWakesParts {
  readonly clock: Clock
  /** Pops, and those who wait for one. */
  readonly held: readonly Pick<HeldPops, 'holds' | 'more'>[]
  /** maxPullHoldMs: who is held now is answered by then, and looks again. */
  readonly maxHoldMs: () => number
}

/** A queue that is popped in order may be free by time alone: then one of those who are held looks again. */
export class OrderWakes {
  private readonly parts: OrderWakesParts
  private readonly wakes = new Map<string, { readonly atMs: number; readonly timer: Timer }>()

  constructor(parts: OrderWakesParts) {
    this.parts = parts
  }

  /** `atMs` by the wall clock; at once where that is over. Nothing where nobody of the group is held. */
  at(place: OrderPlace, atMs: number): void {
    const { clock, held, maxHoldMs } = this.parts
    const { topic, group, queueId } = place
    const restMs = atMs - clock.now()
    if (restMs > maxHoldMs() || !held.some(each => each.holds(topic, group))) return
    const wake = () => {
      for (const each of held) each.more(topic, group, queueId)
    }
    if (restMs <= 0) {
      wake()
      return
    }
    const key = `${topic}@${group}@${queueId}`
    const known = this.wakes.get(key)
    // By the monotonic clock, as timers go.
    const dueMs = clock.monotonic() + restMs
    if (known !== undefined && known.atMs <= dueMs) return
    known?.timer.cancel()
    const timer = clock.after(restMs, () => {
      this.wakes.delete(key)
      wake()
    })
    this.wakes.set(key, { atMs: dueMs, timer })
  }

  stop(): void {
    for (const { timer } of this.wakes.values()) timer.cancel()
    this.wakes.clear()
  }
}
