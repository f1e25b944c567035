import type { Clock } from '@skua-mq/runtime'
import type { HeldPull, HeldPulls } from './held-pulls.ts'

/** Held pulls that are looked at one after another, whatever queues they are of; the others wait for another turn. */
export const wokenAtOnce = 500
/** Behind a pause of this length so many more are. */
const pauseMs = 5

interface Waiting {
  readonly topic: string
  readonly queueId: number
  /** Pulls that were held when the messages came; what is held again stands behind them. */
  left: number
}

/**
 * Held pulls that a message wakes. A hundred thousand of them may wait for one queue: each turn looks at some, and the
 * others stay in the table, counted and found there, until theirs comes.
 */
export class Wakes {
  private readonly held: HeldPulls
  private readonly clock: Pick<Clock, 'after' | 'monotonic'>
  private readonly wake: (pull: HeldPull) => void
  private readonly waiting = new Map<string, Waiting>()
  private woken = 0
  private sinceMs = Number.NEGATIVE_INFINITY

  constructor(parts: { held: HeldPulls; clock: Wakes['clock']; wake: Wakes['wake'] }) {
    this.held = parts.held
    this.clock = parts.clock
    this.wake = parts.wake
  }

  /** A queue has new messages. */
  arrived(topic: string, queueId: number): void {
    const left = this.held.countOf(topic, queueId)
    if (left === 0) return
    if (this.waiting.size > 0) this.put({ topic, queueId, left })
    else if (this.hasRoom(left)) this.some(topic, queueId, left)
    else {
      this.put({ topic, queueId, left })
      this.proceed()
    }
  }

  private put(waiting: Waiting): void {
    this.waiting.set(`${waiting.topic}@${waiting.queueId}`, waiting)
  }

  private hasRoom(count: number): boolean {
    if (this.woken + count > wokenAtOnce) {
      const now = this.clock.monotonic()
      if (now - this.sinceMs >= pauseMs) {
        this.woken = 0
        this.sinceMs = now
      }
    }
    return this.woken + count <= wokenAtOnce
  }

  private some(topic: string, queueId: number, most: number): void {
    for (const pull of this.held.take(topic, queueId, most)) {
      this.woken++
      this.wake(pull)
    }
  }

  private proceed(): void {
    for (const [key, one] of this.waiting) {
      const most = Math.min(one.left, wokenAtOnce - this.woken)
      if (most <= 0) break
      one.left -= most
      if (one.left === 0) this.waiting.delete(key)
      this.some(one.topic, one.queueId, most)
    }
    if (this.waiting.size === 0) return
    this.clock.after(0, () => {
      this.woken = 0
      this.proceed()
    })
  }
}
