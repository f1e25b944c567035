import type { Route } from '@skua-mq/remoting'
import type { Runtime } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { clientRoutes } from './client-table/routes.ts'
import type { LiveConfig } from './config/live-config.ts'
import type { BrokerConfig, brokerOptions } from './config/options.ts'
import { configRoutes } from './config/routes.ts'
import { controlRoutes } from './consumer-control/routes.ts'
import { whoRoutes } from './consumer-control/who-routes.ts'
import { groupRoutes } from './group/routes.ts'
import { lockRoutes } from './lock/routes.ts'
import { offsetRoutes } from './offset/routes.ts'
import { queryRoutes } from './query/routes.ts'
import { replyRoutes } from './request-reply/routes.ts'
import { progressRoutes } from './stats/progress-routes.ts'
import { runtimeRoutes } from './stats/runtime-routes.ts'
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
  hot: { held: () => number; wake: (topic: string, queueId: number) => void }
  /** Share of the store's disk in use, 0 to 1; -1 when unknown. */
  diskRatio: () => number
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
    ...controlRoutes({
      store,
      offsets,
      consumers,
      resets: tables.resets,
      wake: parts.hot.wake,
      brokerName: config.brokerName,
      topic: topic => topics.find(topic),
      hasGroup: group => groups.findOrCreate(group) !== undefined,
      settings: config,
    }),
    ...whoRoutes(tables),
    ...progressRoutes({
      store,
      offsets,
      consumers,
      topic: topic => topics.find(topic),
      brokerName: config.brokerName,
      now: () => runtime.clock.now(),
      consumeTps: (group, topic) => tables.traffic.consumeTps(group, topic),
      groups: () => groups.all().keys(),
      topicPutTps: topic => tables.traffic.topicPutTps(topic),
      isOrder: topic => topics.find(topic)?.order === true,
      brokerAddr: parts.brokerAddr,
    }),
    ...runtimeRoutes({
      traffic: tables.traffic,
      store,
      now: () => runtime.clock.now(),
      settings: config,
      diskRatio: parts.diskRatio,
      heldPulls: parts.hot.held,
    }),
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
