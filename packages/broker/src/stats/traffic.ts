import { type Clock, every, type Timer } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { Meter, sampleEveryMs, type WindowName, windowsAt } from './meter.ts'
import { Mornings } from './mornings.ts'

/** Topics, and topics of groups, that are counted one by one; what comes beyond is in the broker's totals only. */
export const maxMeters = 50_000

/** Queues of groups of which it is known how far they were pulled. */
export const maxPulledQueues = 1_000_000

/** What a name of 315 counts: messages and bytes sent, taken, sent back (admin.md 4). */
export type StatsName =
  | 'TOPIC_PUT_NUMS'
  | 'TOPIC_PUT_SIZE'
  | 'GROUP_GET_NUMS'
  | 'GROUP_GET_SIZE'
  | 'SNDBCK_PUT_NUMS'
  | 'BROKER_PUT_NUMS'
  | 'BROKER_GET_NUMS'

const nothing = { messages: 0 }

interface Pair {
  readonly nums: Meter
  readonly size: Meter
}

const pair = (): Pair => ({ nums: new Meter(), size: new Meter() })

/** What a group took of a topic, and by queue up to where. */
interface Taken extends Pair {
  readonly pulledTo: Map<number, number>
}

/** What a group took of a topic since it was first seen, or seen again after a day. */
export interface GroupTaken {
  readonly group: string
  readonly topic: string
  readonly messages: number
  readonly bytes: number
}

/** One answered pull that found messages. */
export interface Got {
  readonly queueId: number
  readonly nextOffset: number
  readonly count: number
  readonly bytes: number
}

/**
 * Counts of what goes through the broker. Per message or pull it costs a map lookup and a few additions; a timer takes
 * samples every 10 s. In memory only, as in RocketMQ.
 */
export class Traffic {
  readonly put = pair()
  readonly got = pair()
  /** Pulls by what they found. */
  readonly found = new Meter()
  readonly missed = new Meter()
  putFailed = 0
  /** All that the store was given, sent or not. */
  readonly stored = new Meter()
  readonly mornings = new Mornings()
  private readonly topics = new Map<string, Pair>()
  private readonly groups = new Map<string, Map<string, Taken>>()
  private readonly sentBack = new Map<string, Meter>()
  private readonly clock: Clock
  private readonly puts: Pick<MessageStore['puts'], 'messages'>
  private meters = 0
  private ticks = 0
  /** In `pulledTo` of all. */
  private queues = 0
  private timer: Timer | undefined
  /** When the broker began, wall clock. */
  startedAtMs = 0
  private begunMs = 0

  constructor(clock: Clock, puts: Pick<MessageStore['puts'], 'messages'> = nothing) {
    this.clock = clock
    this.puts = puts
  }

  start(): void {
    this.startedAtMs = this.clock.now()
    this.begunMs = this.clock.monotonic()
    this.sample()
    this.timer = every(this.clock, sampleEveryMs, () => this.sample())
  }

  stop(): void {
    this.timer?.cancel()
  }

  /** How long the broker has been running, whatever became of the wall clock. */
  get runningMs(): number {
    return this.clock.monotonic() - this.begunMs
  }

  countPut(topic: string, count: number, bytes: number): void {
    this.put.nums.add(count)
    this.put.size.add(bytes)
    let meters = this.topics.get(topic)
    if (meters === undefined) {
      if (this.isFull()) return
      meters = this.fresh()
      this.topics.set(topic, meters)
    }
    meters.nums.add(count)
    meters.size.add(bytes)
  }

  countGet(group: string, topic: string, got: Got): void {
    const { count, bytes } = got
    this.got.nums.add(count)
    this.got.size.add(bytes)
    let topics = this.groups.get(group)
    if (topics === undefined) {
      topics = new Map()
      this.groups.set(group, topics)
    }
    let meters = topics.get(topic)
    if (meters === undefined) {
      if (this.isFull()) return
      meters = { ...this.fresh(), pulledTo: new Map() }
      topics.set(topic, meters)
    }
    meters.nums.add(count)
    meters.size.add(bytes)
    const { pulledTo } = meters
    if (!pulledTo.has(got.queueId)) {
      if (this.queues >= maxPulledQueues) return
      this.queues++
    }
    pulledTo.set(got.queueId, got.nextOffset)
  }

  countSentBack(group: string, topic: string): void {
    const key = `${topic}@${group}`
    let meter = this.sentBack.get(key)
    if (meter === undefined) {
      if (this.isFull()) return
      this.meters++
      meter = new Meter()
      this.sentBack.set(key, meter)
    }
    meter.add(1)
  }

  /** Messages per second that a group took of a topic in the last minute. */
  consumeTps(group: string, topic: string): number {
    return this.groups.get(group)?.get(topic)?.nums.window('minute').tps ?? 0
  }

  /** Behind what a group pulled last of a queue; undefined when it did not of late. */
  pulledTo(group: string, topic: string, queueId: number): number | undefined {
    return this.groups.get(group)?.get(topic)?.pulledTo.get(queueId)
  }

  /** What each group took of each topic, in no order. */
  *taken(): Iterable<GroupTaken> {
    for (const [group, topics] of this.groups)
      for (const [topic, { nums, size }] of topics) yield { group, topic, messages: nums.total, bytes: size.total }
  }

  /** Messages per second that were sent to a topic in the last minute. */
  topicPutTps(topic: string): number {
    return this.topics.get(topic)?.nums.window('minute').tps ?? 0
  }

  /** The meter behind a name and key of 315; undefined for what was never counted. */
  find(name: string, key: string): Meter | undefined {
    const at = key.indexOf('@')
    const [topic, group] = [key.slice(0, at), key.slice(at + 1)]
    switch (name as StatsName) {
      case 'TOPIC_PUT_NUMS':
        return this.topics.get(key)?.nums
      case 'TOPIC_PUT_SIZE':
        return this.topics.get(key)?.size
      case 'GROUP_GET_NUMS':
        return this.groups.get(group)?.get(topic)?.nums
      case 'GROUP_GET_SIZE':
        return this.groups.get(group)?.get(topic)?.size
      case 'SNDBCK_PUT_NUMS':
        return this.sentBack.get(key)
      case 'BROKER_PUT_NUMS':
        return this.put.nums
      case 'BROKER_GET_NUMS':
        return this.got.nums
      default:
        return undefined
    }
  }

  private fresh(): Pair {
    this.meters += 2
    return pair()
  }

  private isFull(): boolean {
    return this.meters >= maxMeters
  }

  private sample(): void {
    // The clock that never steps: with the wall clock set back no sample would be taken until it has caught up.
    const now = this.clock.monotonic()
    const due = windowsAt(this.ticks++)
    this.mornings.look(this.clock.now(), { put: this.puts.messages, got: this.got.nums.total })
    this.stored.total = this.puts.messages
    this.stored.times = this.puts.messages
    const { put, got, found, missed, stored } = this
    for (const meter of [put.nums, put.size, got.nums, got.size, found, missed, stored]) meter.sample(now, due)
    for (const [topic, meters] of this.topics) if (this.samplePair(meters, now, due)) this.topics.delete(topic)
    for (const [group, topics] of this.groups) {
      for (const [topic, meters] of topics) {
        if (!this.samplePair(meters, now, due)) continue
        this.queues -= meters.pulledTo.size
        topics.delete(topic)
      }
      if (topics.size === 0) this.groups.delete(group)
    }
    for (const [key, meter] of this.sentBack) {
      meter.sample(now, due)
      if (!meter.isIdle) continue
      this.sentBack.delete(key)
      this.meters--
    }
  }

  /** True when it was idle for a day, and is forgotten. */
  private samplePair({ nums, size }: Pair, now: number, due: readonly WindowName[]): boolean {
    nums.sample(now, due)
    size.sample(now, due)
    if (!nums.isIdle) return false
    this.meters -= 2
    return true
  }
}
