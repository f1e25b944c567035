import type { PullView } from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import type { Clock, Timer } from '@skua-mq/runtime'
import type { MessageFilter } from '@skua-mq/store'

/** A pull that found nothing and waits for a message. */
export interface HeldPull {
  readonly view: PullView
  readonly token: ReplyToken
  readonly filter: MessageFilter | undefined
  /** Up to here `filter` passed nothing; another filter has to begin at the offset of the pull again. */
  readonly passedTo: number
  readonly untilMs: number
}

/** How many pulls may be held; one more is answered at once, as if its time were over. */
export const maxHeldPulls = 100_000

/** How exactly the end of a hold is kept. RocketMQ scans every 5 s; nobody minds being earlier. */
const scanMs = 500

const keyOf = (topic: string, queueId: number): string => `${topic}@${queueId}`

/**
 * Held pulls by queue. `wake` takes out those of a queue that has new messages; the scan takes out those whose time is
 * over or whose connection is gone. Whoever gets one answers it, or holds it again.
 */
export class HeldPulls {
  private readonly byQueue = new Map<string, HeldPull[]>()
  private readonly clock: Clock
  private readonly limit: number
  private readonly expired: (pull: HeldPull) => void
  private timer: Timer | undefined
  private count = 0

  constructor(clock: Clock, expired: (pull: HeldPull) => void, limit = maxHeldPulls) {
    this.clock = clock
    this.expired = expired
    this.limit = limit
  }

  get size(): number {
    return this.count
  }

  /** False when the limit is reached. */
  hold(pull: HeldPull): boolean {
    if (this.count >= this.limit) return false
    const key = keyOf(pull.view.topic, pull.view.queueId)
    const list = this.byQueue.get(key)
    if (list === undefined) this.byQueue.set(key, [pull])
    else list.push(pull)
    this.count++
    this.timer ??= this.clock.after(scanMs, () => this.scan())
    return true
  }

  /** Takes out all pulls held for a queue; they are few, one per consumer group. */
  take(topic: string, queueId: number): readonly HeldPull[] {
    const key = keyOf(topic, queueId)
    const list = this.byQueue.get(key)
    if (list === undefined) return none
    this.byQueue.delete(key)
    this.count -= list.length
    return list
  }

  /** All of them, for the end of the broker. */
  takeAll(): readonly HeldPull[] {
    this.timer?.cancel()
    this.timer = undefined
    const all = [...this.byQueue.values()].flat()
    this.byQueue.clear()
    this.count = 0
    return all
  }

  private scan(): void {
    this.timer = undefined
    const now = this.clock.monotonic()
    const over: HeldPull[] = []
    for (const [key, list] of this.byQueue) {
      if (!list.some(pull => pull.untilMs <= now || !pull.token.open)) continue
      const left = list.filter(pull => pull.untilMs > now && pull.token.open)
      for (const pull of list) if (pull.untilMs <= now || !pull.token.open) over.push(pull)
      if (left.length === 0) this.byQueue.delete(key)
      else this.byQueue.set(key, left)
    }
    this.count -= over.length
    for (const pull of over) {
      if (pull.token.open) this.expired(pull)
      else pull.token.drop()
    }
    if (this.count > 0) this.timer ??= this.clock.after(scanMs, () => this.scan())
  }
}

const none: readonly HeldPull[] = []
