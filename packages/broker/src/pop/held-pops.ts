import { type PopView, popRetryTopic, popRetryTopicV2 } from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import type { Clock, Timer } from '@skua-mq/runtime'

/** A pop that found nothing and waits, or who waits for one. */
export interface HeldPop {
  readonly view: PopView
  readonly token: ReplyToken
  /** Monotonic. */
  readonly untilMs: number
  /** Called once, out of the table: looks again, or answers that the time is over. */
  resume(isOver: boolean): void
}

export interface HeldPopLimits {
  /** maxPopPollingSize */
  readonly all: () => number
  /** popPollingSize: of a group in a queue of a topic, or in all of them. */
  readonly ofQueue: () => number
  readonly ofConnection: () => number
}

/** The same in bytes of one connection, together with its held pulls: expressions are held with them. */
const maxBytesOfConnection = 16 * 1024 * 1024
const heldPopBytes = 512

const bytesOf = ({ view }: HeldPop): number =>
  heldPopBytes + view.topic.length + view.consumerGroup.length + (view.exp?.length ?? 0) + (view.attemptId?.length ?? 0)

/** How exactly the end of a hold is kept. */
const scanMs = 500
/** How many are ended, or woken, in one turn. */
export const resumedAtOnce = 500

/** Those of one group for one topic, the oldest first. */
interface GroupHeld {
  readonly key: string
  readonly topic: string
  readonly names: readonly string[]
  readonly list: HeldPop[]
}

/** Messages in a queue, and the groups that wait for them. */
interface Wake {
  readonly key: string
  readonly find: () => GroupHeld[]
  readonly topic: string
  readonly queueId: number
}

interface Job {
  readonly wake: Wake
  /** Those that are left. */
  groups: GroupHeld[]
  /** More messages came meanwhile. */
  isAgain?: boolean
}

/**
 * Held pops by topic and group. A message wakes one pop of each group; who finds more than it takes wakes the next, so that
 * a thousand waiting members cost a message no more than one.
 */
export class HeldPops {
  private readonly clock: Clock
  private readonly limits: HeldPopLimits
  private readonly groups = new Map<string, GroupHeld>()
  /** By the topics that wake them: their own, and the group's retry topics. */
  private readonly topics = new Map<string, Set<GroupHeld>>()
  /** Messages that came, and whose groups are not all looked at yet. */
  private readonly waiting = new Map<string, Job>()
  private woken = 0
  private count = 0
  private timer: Timer | undefined
  private spread: Timer | undefined

  constructor(clock: Clock, limits: HeldPopLimits) {
    this.clock = clock
    this.limits = limits
  }

  get size(): number {
    return this.count
  }

  /** Whether any of a group waits. */
  holds(topic: string, group: string): boolean {
    return this.groups.has(`${topic}@${group}`)
  }

  /** Of a group that wait for exactly this queue, -1 for any. */
  countOf(topic: string, group: string, queueId: number): number {
    const list = this.groups.get(`${topic}@${group}`)?.list ?? []
    return list.reduce((sum, { view }) => (view.queueId === queueId ? sum + 1 : sum), 0)
  }

  /** False where a limit is reached. */
  hold(pop: HeldPop): boolean {
    const { topic, consumerGroup: group, queueId } = pop.view
    const { account } = pop.token.connection
    const bytes = bytesOf(pop)
    if (this.count >= this.limits.all() || account.held >= this.limits.ofConnection()) return false
    if (account.heldBytes + bytes > maxBytesOfConnection) return false
    const held = this.groups.get(`${topic}@${group}`)
    if (
      (held?.list.length ?? 0) >= this.limits.ofQueue() &&
      this.countOf(topic, group, queueId) >= this.limits.ofQueue()
    )
      return false
    ;(held ?? this.enter(topic, group)).list.push(pop)
    this.count++
    account.held++
    account.heldBytes += bytes
    pop.token.rest()
    if (this.timer === undefined) this.arm(scanMs)
    return true
  }

  private enter(topic: string, group: string): GroupHeld {
    const key = `${topic}@${group}`
    const held = { key, topic, names: [topic, popRetryTopic(topic, group), popRetryTopicV2(topic, group)], list: [] }
    this.groups.set(key, held)
    for (const name of held.names) {
      const known = this.topics.get(name)
      if (known === undefined) this.topics.set(name, new Set([held]))
      else known.add(held)
    }
    return held
  }

  private leave(held: GroupHeld): void {
    this.groups.delete(held.key)
    for (const name of held.names) {
      const known = this.topics.get(name)
      known?.delete(held)
      if (known?.size === 0) this.topics.delete(name)
    }
  }

  /** Takes one out of its list, awake. */
  private out(held: GroupHeld, at: number): HeldPop {
    const [pop] = held.list.splice(at, 1) as [HeldPop]
    if (held.list.length === 0) this.leave(held)
    this.count--
    const { token } = pop
    // Also of a connection that is gone: its account goes with it.
    const { account } = token.connection
    account.held--
    account.heldBytes -= bytesOf(pop)
    token.rise()
    return pop
  }

  /** A queue has new messages: the first pop of each group that they may be for looks again. */
  arrived(topic: string, queueId: number): void {
    const groups = this.topics.get(topic)
    if (groups === undefined) return
    const find = () => [...(this.topics.get(topic) ?? [])]
    this.wake({ key: `${topic}@${queueId}`, find, topic, queueId, count: groups.size })
  }

  /** There is more for a group: its next one looks again. `queueId` -1: of any queue. */
  more(topic: string, group: string, queueId: number): void {
    const key = `${topic}@${group}`
    if (!this.groups.has(key)) return
    const find = () => [this.groups.get(key)].filter(held => held !== undefined)
    this.wake({ key: `${key}@${queueId}`, find, topic, queueId, count: 1 })
  }

  /** Now where there is room in this turn, else in turns to come; who comes meanwhile for the same is woken behind. */
  private wake({ count, ...wake }: Wake & { readonly count: number }): void {
    this.spread ??= this.clock.after(0, () => this.proceed())
    const job: Job = { wake, groups: [] }
    if (this.waiting.size === 0 && this.woken + count <= resumedAtOnce) {
      job.groups = wake.find()
      // Those that are woken may wake others, which count as well.
      if (!this.work(job)) this.waiting.set(wake.key, job)
      return
    }
    const known = this.waiting.get(wake.key)
    if (known === undefined) this.waiting.set(wake.key, job)
    else known.isAgain = true
  }

  /** True when it is done. */
  private work(job: Job): boolean {
    const { topic, queueId } = job.wake
    for (let held = job.groups.pop(); held !== undefined; held = job.groups.pop()) {
      this.woken++
      this.wakeFirst(held, held.topic === topic ? queueId : -1)
      if (this.woken >= resumedAtOnce) break
    }
    return job.groups.length === 0
  }

  private wakeFirst(held: GroupHeld, queueId: number): void {
    const isFor = ({ view }: HeldPop) => view.queueId < 0 || queueId < 0 || view.queueId === queueId
    for (;;) {
      // Who has not taken its answers before gets no further ones: it is sent away, where there is nobody else.
      const free = held.list.findIndex(pop => isFor(pop) && !pop.token.connection.isBlocked)
      const at = free >= 0 ? free : held.list.findIndex(isFor)
      if (at < 0) return
      const pop = this.out(held, at)
      if (pop.token.open) {
        pop.resume(free < 0)
        return
      }
      pop.token.drop()
    }
  }

  /** Another turn. */
  private proceed(): void {
    this.spread = undefined
    this.woken = 0
    for (const [key, job] of this.waiting) {
      if (this.woken >= resumedAtOnce) break
      if (job.groups.length === 0) job.groups = job.wake.find()
      if (!this.work(job)) break
      // Behind all others.
      this.waiting.delete(key)
      if (job.isAgain === true) this.waiting.set(key, { wake: job.wake, groups: [] })
    }
    if (this.waiting.size > 0) this.spread ??= this.clock.after(0, () => this.proceed())
  }

  /** All of them, for the end of the broker or of a topic. */
  endWhere(isMeant: (view: PopView) => boolean): void {
    const ended: HeldPop[] = []
    for (const held of [...this.groups.values()])
      for (let at = held.list.length - 1; at >= 0; at--)
        if (isMeant(held.list[at]!.view)) ended.push(this.out(held, at))
    for (const pop of ended) end(pop)
  }

  stop(): void {
    this.timer?.cancel()
    this.spread?.cancel()
    this.waiting.clear()
    this.endWhere(() => true)
    this.timer?.cancel()
  }

  private scan(): void {
    this.timer = undefined
    const now = this.clock.monotonic()
    const over: HeldPop[] = []
    for (const held of [...this.groups.values()]) {
      for (let at = held.list.length - 1; at >= 0 && over.length < resumedAtOnce; at--) {
        const { untilMs, token } = held.list[at]!
        if (untilMs <= now || !token.open) over.push(this.out(held, at))
      }
    }
    for (const pop of over) end(pop)
    if (this.count > 0 && this.timer === undefined) this.arm(over.length < resumedAtOnce ? scanMs : 0)
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
    for (const { list } of this.groups.values()) for (const { untilMs } of list) first = Math.min(first, untilMs)
    return first - this.clock.monotonic()
  }
}

function end(pop: HeldPop): void {
  if (pop.token.open) pop.resume(true)
  else pop.token.drop()
}
