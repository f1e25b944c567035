import { querySubscriptionByConsumer, queryTopicConsumeByWho, queryTopicsByConsumer } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { OffsetTable } from '../offset/offset-table.ts'

/** 300, 343, 345 (admin.md 2 and 3): who consumes what. */
export function whoRoutes({ consumers, offsets }: { consumers: ConsumerGroups; offsets: OffsetTable }): Route[] {
  return [
    route(queryTopicConsumeByWho, ({ topic }) => {
      const online = [...consumers.all()].filter(group => group.subscriptions.has(topic)).map(group => group.group)
      const groupList = [...new Set([...online, ...offsets.groupsOf(topic)])]
      return ok({}, queryTopicConsumeByWho.replyBody!.encode({ groupList }))
    }),
    route(queryTopicsByConsumer, ({ group }) => {
      const subscribed = [...(consumers.find(group)?.subscriptions.keys() ?? [])]
      const topicList = [...new Set([...offsets.topicsOf(group), ...subscribed])]
      return ok({}, queryTopicsByConsumer.replyBody!.encode({ topicList }))
    }),
    route(querySubscriptionByConsumer, ({ group, topic }) => {
      const subscriptionData = consumers.subscription(group, topic ?? '')
      return ok({}, querySubscriptionByConsumer.replyBody!.encode({ group, topic, subscriptionData }))
    }),
  ]
}
