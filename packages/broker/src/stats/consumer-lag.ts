import { Perm, retryPrefix, type TopicConfig } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { Family } from '../metrics/family.ts'
import { systemLabel } from '../metrics/labels.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import type { MetricSource, Samples } from '../metrics/source.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import { Pace } from '../pace.ts'
import type { Traffic } from './traffic.ts'

export interface ConsumerLagParts {
  readonly clock: Pick<Clock, 'after' | 'now'>
  readonly store: Pick<MessageStore, 'maxOffset' | 'storedAt'>
  readonly consumers: Pick<ConsumerGroups, 'all'>
  readonly offsets: Pick<OffsetTable, 'find'>
  readonly traffic: Pick<Traffic, 'pulledTo'>
  readonly topic: (topic: string) => TopicConfig | undefined
  readonly brokerPermission: () => number
  /** metricsOtelCardinalityLimit: groups and topics beyond are not looked at. */
  readonly limit: number
}

/** How far a group is in a topic. */
interface Lag {
  readonly labels: readonly string[]
  lag: number
  inflight: number
  ready: number
  /** Store times of the oldest messages that are not consumed, and not handed out; Infinity without one. */
  unconsumedAtMs: number
  unpulledAtMs: number
}

/**
 * How far the groups that are online are in the topics they subscribe to, by the write queues, as RocketMQ's
 * ConsumerLagCalculator has it. A queue whose group has caught up costs no read. Where it is not known what a group has
 * pulled, that is what it has consumed.
 */
export class ConsumerLag implements MetricSource {
  private readonly parts: ConsumerLagParts

  constructor(parts: ConsumerLagParts) {
    this.parts = parts
  }

  async *collect(into: Samples): AsyncIterable<void> {
    const lags: Lag[] = []
    const pace = new Pace(this.parts.clock)
    for (const { group, subscriptions } of this.parts.consumers.all()) {
      // A list of its own: subscriptions may change while a topic is looked at.
      for (const name of [...subscriptions.keys()]) {
        const topic = this.taken(name)
        if (topic !== undefined && lags.length < this.parts.limit) lags.push(await this.lagOf(group, topic, pace))
        yield
      }
    }
    const now = this.parts.clock.now()
    const age = (atMs: number) => (Number.isFinite(atMs) ? Math.max(0, now - atMs) : 0)
    const figures: readonly [Family, (lag: Lag) => number][] = [
      [rocketmq.lagMessages, each => each.lag],
      [rocketmq.lagLatency, each => age(each.unconsumedAtMs)],
      [rocketmq.inflightMessages, each => each.inflight],
      [rocketmq.queueingLatency, each => age(each.unpulledAtMs)],
      [rocketmq.readyMessages, each => each.ready],
    ]
    for (const [family, of] of figures) for (const lag of lags) yield into.sample(family, lag.labels, of(lag))
  }

  /** The topic where messages of it are taken here; retries belong to the topic that they come from. */
  private taken(name: string): TopicConfig | undefined {
    if (name.startsWith(retryPrefix)) return undefined
    const topic = this.parts.topic(name)
    if (topic === undefined) return undefined
    return (topic.perm & this.parts.brokerPermission() & (Perm.read | Perm.write)) === 0 ? undefined : topic
  }

  private async lagOf(group: string, { topicName, writeQueueNums }: TopicConfig, pace: Pace): Promise<Lag> {
    const { store, offsets, traffic } = this.parts
    const lag: Lag = {
      labels: [group, 'false', systemLabel(topicName, group), topicName],
      ...{ lag: 0, inflight: 0, ready: 0 },
      ...{ unconsumedAtMs: Number.POSITIVE_INFINITY, unpulledAtMs: Number.POSITIVE_INFINITY },
    }
    for (let queueId = 0; queueId < writeQueueNums; queueId++) {
      await pace.entry()
      const end = store.maxOffset(topicName, queueId)
      const consumed = Math.min(offsets.find(group, topicName, queueId) ?? end, end)
      const pulled = Math.min(Math.max(consumed, traffic.pulledTo(group, topicName, queueId) ?? 0), end)
      lag.lag += end - consumed
      lag.inflight += pulled - consumed
      lag.ready += end - pulled
      const unconsumedAtMs = await this.storedAt({ topicName, queueId, end, pace }, consumed)
      lag.unconsumedAtMs = Math.min(lag.unconsumedAtMs, unconsumedAtMs)
      const unpulledAtMs =
        pulled === consumed ? unconsumedAtMs : await this.storedAt({ topicName, queueId, end, pace }, pulled)
      lag.unpulledAtMs = Math.min(lag.unpulledAtMs, unpulledAtMs)
    }
    return lag
  }

  /** Infinity where there is no such message, or a disk that does not give it. */
  private async storedAt(
    { topicName, queueId, end, pace }: { topicName: string; queueId: number; end: number; pace: Pace },
    offset: number,
  ): Promise<number> {
    if (offset >= end) return Number.POSITIVE_INFINITY
    pace.read()
    const atMs = await this.parts.store.storedAt(topicName, queueId, offset).catch(() => 0)
    return atMs > 0 ? atMs : Number.POSITIVE_INFINITY
  }
}
