import { versionName } from '@skua-mq/protocol'
import type { Family } from '../metrics/family.ts'
import { isSystemGroup } from '../metrics/labels.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import { own } from '../metrics/skua-families.ts'
import { type MetricSource, overflow, type Samples } from '../metrics/source.ts'
import { type Client, languageOf } from './client.ts'
import type { ConsumerGroup, ConsumerGroups } from './consumer-groups.ts'
import type { ProducerGroups } from './producer-groups.ts'

export interface ConnectionMetricsParts {
  readonly consumers: Pick<ConsumerGroups, 'all' | 'differingGroups'>
  readonly producers: Pick<ProducerGroups, 'all'>
  /** metricsOtelCardinalityLimit: what differs beyond is counted together. */
  readonly limit: number
}

const modes = { CONSUME_ACTIVELY: 'pull', CONSUME_PASSIVELY: 'push' } as const

/** Who is connected, by what they say of themselves. Members are counted when somebody asks. */
export class ConnectionMetrics implements MetricSource {
  private readonly parts: ConnectionMetricsParts

  constructor(parts: ConnectionMetricsParts) {
    this.parts = parts
  }

  *collect(into: Samples): Iterable<void> {
    const producers = new Tally(rocketmq.producerConnections, this.parts.limit)
    for (const members of this.parts.producers.all().values()) {
      for (const member of members.values())
        yield producers.add([languageLabel(member), 'remoting', versionLabel(member)])
    }
    yield* producers.write(into)
    const consumers = new Tally(rocketmq.consumerConnections, this.parts.limit)
    for (const group of this.parts.consumers.all()) {
      for (const member of group.members.values()) yield consumers.add(consumerLabels(group, member))
    }
    yield* consumers.write(into)
    yield into.sample(own.subscriptionsDiffer, [], this.parts.consumers.differingGroups.length)
  }
}

const languageLabel = (client: Client): string => languageOf(client)?.toLowerCase() ?? 'unknown'
const versionLabel = ({ version }: Client): string => versionName(version)?.toLowerCase() ?? 'unknown'

const consumerLabels = ({ group, consumeType }: ConsumerGroup, member: Client): string[] => [
  (modes as Readonly<Record<string, string>>)[consumeType ?? ''] ?? 'unknown',
  group,
  String(isSystemGroup(group)),
  languageLabel(member),
  'remoting',
  versionLabel(member),
]

/** Counts members of equal labels. */
class Tally {
  private readonly counts = new Map<string, { readonly labels: readonly string[]; count: number }>()
  private readonly family: Family
  private readonly limit: number
  private rest = 0

  constructor(family: Family, limit: number) {
    this.family = family
    this.limit = limit
  }

  add(labels: readonly string[]): void {
    const key = labels.join('\n')
    const known = this.counts.get(key)
    if (known !== undefined) known.count++
    else if (this.counts.size < this.limit) this.counts.set(key, { labels, count: 1 })
    else this.rest++
  }

  *write(into: Samples): Iterable<void> {
    for (const { labels, count } of this.counts.values()) yield into.sample(this.family, labels, count)
    if (this.rest > 0) yield into.sample(this.family, overflow, this.rest)
  }
}
