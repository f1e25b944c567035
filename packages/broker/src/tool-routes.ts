import type { Route } from '@skua-mq/remoting'
import type { LiveConfig, Runtime } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { cleanupRoutes } from './cleanup/routes.ts'
import type { BrokerConfig, brokerOptions } from './config/options.ts'
import { configRoutes } from './config/routes.ts'
import { controlRoutes } from './consumer-control/routes.ts'
import { whoRoutes } from './consumer-control/who-routes.ts'
import { consumeQueueRoutes } from './query/consume-queue-routes.ts'
import { queryRoutes } from './query/routes.ts'
import { progressRoutes } from './stats/progress-routes.ts'
import { runtimeRoutes } from './stats/runtime-routes.ts'
import type { BrokerTables } from './tables.ts'

export interface RouteParts {
  readonly config: BrokerConfig
  readonly live: LiveConfig<typeof brokerOptions>
  readonly runtime: Runtime
  readonly store: MessageStore
  readonly tables: BrokerTables
  /** Resolves when the name servers know of a change. */
  readonly announced: () => Promise<void>
  /** This broker as records carry it, and as `host:port`. */
  readonly storeHost: Uint8Array
  readonly brokerAddr: string
  readonly hot: {
    held: () => number
    wake: (topic: string, queueId: number) => void
    topicDeleted: (topic: string) => void
  }
  /** Share of the store's disk in use, 0 to 1; -1 when unknown. */
  readonly diskRatio: () => number
}

/** What operators' tools ask: configuration, messages, offsets, figures. */
export function toolRoutes(parts: RouteParts): Route[] {
  const { config, runtime, store, tables } = parts
  const { topics, groups, offsets, consumers } = tables
  return [
    ...configRoutes(parts.live),
    ...cleanupRoutes({ store, hasTopic: topic => topics.find(topic) !== undefined, clock: runtime.clock }),
    ...queryRoutes(store),
    ...consumeQueueRoutes({ store, consumers, filters: tables.filters }),
    ...controlRoutes({
      store,
      offsets,
      consumers,
      resets: tables.resets,
      clock: runtime.clock,
      wake: parts.hot.wake,
      brokerName: config.brokerName,
      topic: topic => topics.find(topic),
      hasGroup: group => groups.find(group) !== undefined,
      settings: config,
    }),
    ...whoRoutes(tables),
    ...progressRoutes({
      store,
      offsets,
      consumers,
      topic: topic => topics.find(topic),
      brokerName: config.brokerName,
      clock: runtime.clock,
      consumeTps: (group, topic) => tables.traffic.consumeTps(group, topic),
      pulledTo: (group, topic, queueId) => tables.traffic.pulledTo(group, topic, queueId),
      groups: () => groups.all().keys(),
      topicPutTps: topic => tables.traffic.topicPutTps(topic),
      isOrder: topic => topics.find(topic)?.order === true,
      brokerAddr: parts.brokerAddr,
    }),
    ...runtimeRoutes({
      clock: runtime.clock,
      traffic: tables.traffic,
      store,
      settings: config,
      diskRatio: parts.diskRatio,
      heldPulls: parts.hot.held,
      differing: consumers,
    }),
  ]
}
