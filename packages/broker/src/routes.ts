import { ResponseCode } from '@skua-mq/protocol'
import type { Route } from '@skua-mq/remoting'
import type { Runtime } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { clientRoutes } from './client-table/routes.ts'
import type { BrokerConfig } from './config/options.ts'
import { groupRoutes } from './group/routes.ts'
import { lockRoutes } from './lock/routes.ts'
import { offsetRoutes } from './offset/routes.ts'
import type { BrokerTables } from './tables.ts'
import { topicRoutes } from './topic/routes.ts'

/** Everything a broker answers beside the hot requests: one list per folder. */
export function brokerRoutes(parts: {
  config: BrokerConfig
  runtime: Runtime
  store: MessageStore
  tables: BrokerTables
}): Route[] {
  const { config, store, tables } = parts
  const { topics, groups, offsets, consumers, producers, locks } = tables
  return [
    ...topicRoutes({
      topics,
      deleted: topic => {
        store.deleteTopic(topic)
        offsets.deleteTopic(topic)
      },
    }),
    ...groupRoutes({
      groups,
      deleted: (group, cleanOffsets) => {
        if (cleanOffsets) offsets.deleteGroup(group)
      },
    }),
    ...offsetRoutes({ offsets, store, hasTopic: topic => topics.find(topic) !== undefined }),
    ...clientRoutes({
      consumers,
      producers,
      groups,
      topics,
      refusalOf: subscription =>
        subscription.expressionType === 'TAG' || config.enablePropertyFilter
          ? undefined
          : {
              code: ResponseCode.systemError,
              remark: `the broker does not filter by ${subscription.expressionType}: set enablePropertyFilter=true`,
            },
      subscribed: () => {},
    }),
    ...lockRoutes(locks),
  ]
}
