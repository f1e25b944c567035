import type { Route } from '@skua-mq/remoting'
import { clientRoutes } from './client-table/routes.ts'
import { filterServerRoutes } from './filter-server/routes.ts'
import { groupRoutes } from './group/routes.ts'
import { lockRoutes } from './lock/routes.ts'
import { offsetRoutes } from './offset/routes.ts'
import { replyRoutes } from './request-reply/routes.ts'
import { type RouteParts, toolRoutes } from './tool-routes.ts'
import { topicRoutes } from './topic/routes.ts'

/** Everything a broker answers beside the hot requests: one list per folder. */
export function brokerRoutes(parts: RouteParts): Route[] {
  const { config, runtime, store, tables } = parts
  const { topics, groups, offsets, consumers, producers, locks, resets } = tables
  const { clock } = runtime
  return [
    ...topicRoutes({
      topics,
      clock,
      announced: parts.announced,
      settled: () => offsets.settled(),
      deleted: topic => {
        store.deleteTopic(topic)
        offsets.deleteTopic(topic, 'the topic was deleted')
        resets.deleteTopic(topic)
        parts.hot.topicDeleted(topic)
      },
    }),
    ...groupRoutes({
      groups,
      clock,
      deleted: (group, cleanOffsets) => {
        if (!cleanOffsets) return
        offsets.deleteGroup(group, 'the group was deleted')
        resets.deleteGroup(group)
      },
      settled: () => offsets.settled(),
    }),
    ...offsetRoutes({
      offsets,
      clock,
      store,
      hasTopic: topic => topics.find(topic) !== undefined,
      memberOf: (group, connection) => consumers.memberOf(group, connection),
      subscribes: (group, topic) => consumers.find(group)?.subscriptions.has(topic),
    }),
    ...clientRoutes({
      announced: parts.announced,
      consumers,
      producers,
      groups,
      topics,
      refusalOf: subscription => tables.filters.refusalOf(subscription),
      subscribed: (group, subscription) => tables.consumerFilters.register(group, subscription),
    }),
    ...lockRoutes(locks),
    ...filterServerRoutes(tables.filterServers, config),
    ...toolRoutes(parts),
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
