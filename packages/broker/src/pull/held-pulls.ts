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
  untilMs: number
}

/** How many pulls may be held: one more is answered at once, as if its time were over. */
export interface HeldLimits {
  readonly maxHeldPulls: number
  readonly maxHeldPullsPerConnection: number
}

/** The same in bytes, of all and of one connection: the expression that a pull carries is held with it. */
export const maxHeldBytes = 128 * 1024 * 1024
export const maxHeldBytesPerConnection = 16 * 1024 * 1024

/** Pulls of one connection for one queue: one for each of its groups. Each message reads all of them. */
export const maxHeldPerQueue = 128

/** What a held pull takes without its texts. */
const heldPullBytes = 512

/** How exactly the end of a hold is kept. RocketMQ scans every 5 s; nobody minds being earlier. */
const scanMs = 500

/** How many are ended in one turn. */
export const endedAtOnce = 500

const keyOf = (topic: string, queueId: number): string => `${topic}@${queueId}`

const bytesOf = ({ subscription = '', expressionType = '', consumerGroup, topic }: PullView): number =>
  heldPullBytes + subscription.length + expressionType.length + consumerGroup.length + topic.length

/**
 * Held pulls by queue. `take` takes out those of a queue that has new messages; the scan takes out those whose time is
 * over or whose connection is gone. Whoever gets one answers it, or holds it again.
 */
export class HeldPulls {
  private readonly byQueue = new Map<string, HeldPull[]>()
  private readonly clock: Clock
  private readonly limits: HeldLimits
  private readonly expired: (pull: HeldPull) => void
  private timer: Timer | undefined
  private count = 0
  private bytes = 0

  constructor(clock: Clock, expired: (pull: HeldPull) => void, limits: HeldLimits) {
    this.clock = clock
    this.expired = expired
    this.limits = limits
  }

  get size(): number {
    return this.count
  }

  /** False when a limit is reached. */
  hold(pull: HeldPull): boolean {
    const key = keyOf(pull.view.topic, pull.view.queueId)
    const list = this.byQueue.get(key)
    if (!this.hasRoom(pull, list)) return false
    if (list === undefined) this.byQueue.set(key, [pull])
    else list.push(pull)
    this.changed(pull, 1)
    pull.token.rest()
    if (this.timer === undefined) this.arm(scanMs)
    return true
  }

  private arm(ms: number): void {
    this.timer = this.clock.after(
      ms,
      () => this.scan(),
      () => this.restMs(),
    )
  }

  /** For how long nobody's time is over. */
  private restMs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const list of this.byQueue.values()) for (const { untilMs } of list) first = Math.min(first, untilMs)
    return first - this.clock.monotonic()
  }

  private hasRoom({ view, token }: HeldPull, list: readonly HeldPull[] | undefined): boolean {
    const { account } = token.connection
    const bytes = bytesOf(view)
    if (this.count >= this.limits.maxHeldPulls || this.bytes + bytes > maxHeldBytes) return false
    if (account.held >= this.limits.maxHeldPullsPerConnection) return false
    if (account.heldBytes + bytes > maxHeldBytesPerConnection) return false
    // Few have as many at all, so that hardly anybody counts.
    if (list === undefined || list.length < maxHeldPerQueue || account.held < maxHeldPerQueue) return true
    let own = 0
    for (const other of list) if (other.token.connection === token.connection) own++
    return own < maxHeldPerQueue
  }

  private changed({ view, token }: HeldPull, by: 1 | -1): void {
    const { account } = token.connection
    const bytes = by * bytesOf(view)
    this.count += by
    this.bytes += bytes
    account.held += by
    account.heldBytes += bytes
  }

  /** Out of the table, and awake: it is answered, dropped or held again. */
  private woken(pull: HeldPull): void {
    this.changed(pull, -1)
    pull.token.rise()
  }

  /** How many pulls are held for a queue. */
  countOf(topic: string, queueId: number): number {
    return this.byQueue.get(keyOf(topic, queueId))?.length ?? 0
  }

  /** Takes out pulls held for a queue, the oldest first; mostly they are few, one per consumer group. */
  take(topic: string, queueId: number, most = Number.POSITIVE_INFINITY): readonly HeldPull[] {
    const key = keyOf(topic, queueId)
    const list = this.byQueue.get(key)
    if (list === undefined) return none
    const taken = list.length <= most ? list : list.splice(0, most)
    if (taken === list) this.byQueue.delete(key)
    for (const pull of taken) this.woken(pull)
    return taken
  }

  /** The time of all that are held for the queues of a topic is over. Rare: everything is looked through. */
  expireTopic(topic: string): void {
    for (const list of this.byQueue.values())
      if (list[0]?.view.topic === topic) for (const pull of list) pull.untilMs = Number.NEGATIVE_INFINITY
    this.timer?.cancel()
    this.scan()
  }

  /** All of them, for the end of the broker. */
  takeAll(): readonly HeldPull[] {
    this.timer?.cancel()
    this.timer = undefined
    const all = [...this.byQueue.values()].flat()
    this.byQueue.clear()
    for (const pull of all) this.woken(pull)
    return all
  }

  /** Thousands may have come together, and end together: some of them are answered, and the others in further turns. */
  private scan(): void {
    this.timer = undefined
    const over = this.takeOver(this.clock.monotonic())
    for (const pull of over) this.woken(pull)
    for (const pull of over) {
      if (pull.token.open) this.expired(pull)
      else pull.token.drop()
    }
    if (this.count > 0 && this.timer === undefined) this.arm(over.length < endedAtOnce ? scanMs : 0)
  }

  /** Takes out those whose time is over or whose connection is gone, so many of them. */
  private takeOver(now: number): readonly HeldPull[] {
    const over: HeldPull[] = []
    const isOver = (pull: HeldPull) => over.length < endedAtOnce && (pull.untilMs <= now || !pull.token.open)
    for (const [key, list] of this.byQueue) {
      if (!list.some(isOver)) continue
      const left = list.filter(pull => {
        if (!isOver(pull)) return true
        over.push(pull)
        return false
      })
      if (left.length === 0) this.byQueue.delete(key)
      else this.byQueue.set(key, left)
    }
    return over
  }
}

const none: readonly HeldPull[] = []
