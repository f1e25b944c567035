import type { DiskSpace, Runtime } from '@skua-mq/runtime'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { ConsumerLag } from './consumer-lag.ts'
import { MessagesIn } from './messages-in.ts'
import { MessagesOut } from './messages-out.ts'
import { progressRoutes } from './progress-routes.ts'
import { runtimeRoutes } from './runtime-routes.ts'
import { Traffic } from './traffic.ts'

type Needs = On<'config' | 'dialect' | 'runtime' | 'store' | 'brokerAddr' | 'furniture' | 'measures' | 'family'> & {
  topics: TopicTable
  groups: GroupTable
  offsets: OffsetTable
  consumers: ConsumerGroups
}

/** What is counted for metrics alone; undefined without them. */
export interface MessageCounts {
  readonly in: MessagesIn
  readonly out: MessagesOut
}

/** What passes through, and how far groups are. */
export const stats: Feature<Needs, { traffic: Traffic; counts: MessageCounts | undefined }> = {
  name: 'stats',
  make: needs => {
    const { config, runtime, store, brokerAddr, furniture, family, topics, groups, offsets, consumers } = needs
    const traffic = new Traffic(runtime.clock, store.puts)
    const counts = needs.measures ? countsOf(needs, traffic) : undefined
    return {
      gives: { traffic, counts },
      metrics: counts === undefined ? [] : [counts.in, counts.out, lagOf(needs, traffic)],
      topicDeleted: topic => counts?.in.deleteTopic(topic),
      tables: [traffic],
      routes: [
        ...progressRoutes({
          ...{ store, offsets, consumers, brokerAddr },
          topic: topic => topics.find(topic),
          brokerName: config.brokerName,
          clock: runtime.clock,
          consumeTps: (group, topic) => traffic.consumeTps(group, topic),
          pulledTo: (group, topic, queueId) => traffic.pulledTo(group, topic, queueId),
          groups: () => groups.all().keys(),
          topicPutTps: topic => traffic.topicPutTps(topic),
          isOrder: topic => topics.find(topic)?.order === true,
        }),
        ...runtimeRoutes({
          ...{ traffic, store, settings: config, clock: runtime.clock, version: needs.dialect.version },
          space: () => spaceOf(runtime, config.storePathRootDir),
          heldPulls: () => furniture.gauge('heldPulls'),
          // Skua's own: `skua ping` misses those that are not there.
          told: () => ({ ...furniture.told(), ...(family.length === 0 ? {} : { familyBrokers: family.join(',') }) }),
          differing: consumers,
        }),
      ],
    }
  },
}

const countsOf = ({ config }: Needs, traffic: Traffic): MessageCounts => ({
  in: new MessagesIn(config.metricsOtelCardinalityLimit),
  out: new MessagesOut(traffic),
})

const lagOf = ({ config, runtime, store, topics, offsets, consumers }: Needs, traffic: Traffic): ConsumerLag =>
  new ConsumerLag({
    ...{ clock: runtime.clock, store, consumers, offsets, traffic },
    topic: name => topics.find(name),
    brokerPermission: () => config.brokerPermission,
    limit: config.metricsOtelCardinalityLimit,
  })

/** Undefined where the machine does not tell. */
function spaceOf({ disk }: Runtime, path: string): DiskSpace | undefined {
  try {
    return disk.space(path)
  } catch {
    return undefined
  }
}
