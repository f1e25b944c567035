import type { Connection } from '@skua-mq/remoting'
import { type Clock, delay } from '@skua-mq/runtime'

/** A second ask for the same unknown topic this soon after the first one waits for it. */
const againMs = 1000
/** So long at most. */
export const holdMs = 100
/** Asks that wait at the same time; more are answered at once. */
const maxHeld = 1000
/** Longest name that is remembered: `%RETRY%` before a group of 255 characters. */
const longestName = 262
/** Topics that are remembered of a connection. */
const maxRemembered = 64

/**
 * A client that has just made a topic known asks for its route at once: of a consumer's retry topic Go's client asks
 * before its first heartbeat, 8 ms after it, and then every 30 s, by which its first retry is late. The broker's
 * registration is on its way by then, so the second ask of a connection for a topic that nobody has waits for it a little.
 */
export class SecondAsks {
  private readonly clock: Clock
  private readonly asked = new WeakMap<Connection, Map<string, number>>()
  private readonly waiting = new Map<string, Set<() => void>>()
  private held = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Undefined where it is answered at once; else resolves when the topic came, or the wait is over. */
  wait(topic: string, connection: Connection): Promise<void> | undefined {
    // No broker has a topic of such a name; what is remembered of a connection is bounded in bytes.
    if (topic.length > longestName) return undefined
    // Where time stands still nobody would ever be answered.
    if (this.clock.leaps) return undefined
    const now = this.clock.monotonic()
    const topics = this.asked.get(connection) ?? new Map<string, number>()
    this.asked.set(connection, topics)
    const before = topics.get(topic)
    topics.delete(topic)
    topics.set(topic, now)
    if (topics.size > maxRemembered) topics.delete(topics.keys().next().value as string)
    if (before === undefined || now - before > againMs || this.held >= maxHeld) return undefined
    return this.hold(topic)
  }

  /** A topic is there that was not. */
  came(topic: string): void {
    for (const wake of this.waiting.get(topic) ?? []) wake()
  }

  private async hold(topic: string): Promise<void> {
    const over = new AbortController()
    const wake = () => over.abort()
    const wakes = this.waiting.get(topic) ?? new Set()
    this.waiting.set(topic, wakes)
    wakes.add(wake)
    this.held++
    await delay(this.clock, holdMs, over.signal).catch(() => {})
    this.held--
    wakes.delete(wake)
    if (wakes.size === 0) this.waiting.delete(topic)
  }
}
