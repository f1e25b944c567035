import type { Route } from '@skua-mq/remoting'
import type { Runtime } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { clientRoutes } from './client-table/routes.ts'
import type { LiveConfig } from './config/live-config.ts'
import type { BrokerConfig, brokerOptions } from './config/options.ts'
import { configRoutes } from './config/routes.ts'
import { groupRoutes } from './group/routes.ts'
import { lockRoutes } from './lock/routes.ts'
import { offsetRoutes } from './offset/routes.ts'
import { queryRoutes } from './query/routes.ts'
import { replyRoutes } from './request-reply/routes.ts'
import type { BrokerTables } from './tables.ts'
import { topicRoutes } from './topic/routes.ts'

/** Everything a broker answers beside the hot requests: one list per folder. */
export function brokerRoutes(parts: {
  config: BrokerConfig
  live: LiveConfig<typeof brokerOptions>
  runtime: Runtime
  store: MessageStore
  tables: BrokerTables
  /** Resolves when the name servers know of a change. */
  announced: () => Promise<void>
  /** This broker as records carry it, and as `host:port`. */
  storeHost: Uint8Array
  brokerAddr: string
}): Route[] {
  const { config, runtime, store, tables } = parts
  const { topics, groups, offsets, consumers, producers, locks } = tables
  return [
    ...topicRoutes({
      topics,
      announced: parts.announced,
      deleted: topic => {
        store.deleteTopic(topic)
        offsets.deleteTopic(topic, 'the topic was deleted')
      },
    }),
    ...groupRoutes({
      groups,
      deleted: (group, cleanOffsets) => {
        if (cleanOffsets) offsets.deleteGroup(group, 'the group was deleted')
      },
    }),
    ...offsetRoutes({
      offsets,
      store,
      hasTopic: topic => topics.find(topic) !== undefined,
      memberOf: (group, connection) => consumers.memberOf(group, connection),
      subscribes: (group, topic) => consumers.find(group)?.subscriptions.has(topic),
    }),
    ...clientRoutes({
      consumers,
      producers,
      groups,
      topics,
      refusalOf: subscription => tables.filters.refusalOf(subscription),
      subscribed: (group, subscription) => tables.consumerFilters.register(group, subscription),
    }),
    ...lockRoutes(locks),
    ...configRoutes(parts.live),
    ...queryRoutes(store),
    ...replyRoutes({
      store,
      topics,
      random: runtime.random,
      now: () => runtime.clock.now(),
      requester: clientId => producers.byClientId(clientId),
      settings: config,
      storeHost: parts.storeHost,
      storeAddress: parts.brokerAddr,
    }),
  ]
}
