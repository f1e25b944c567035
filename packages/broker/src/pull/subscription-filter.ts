import { isTagType, type PullView, ResponseCode, type SubscriptionData } from '@skua-mq/protocol'
import type { MessageFilter } from '@skua-mq/store'
import type { ConsumerGroup, ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { KnownBefore } from '../client-table/known-before.ts'
import type { GroupTable } from '../group/group-table.ts'
import { PullFlag, type PullStop } from './pull-handler.ts'

/** Subscriptions made ready for the entries of a queue; undefined passes all. */
export interface SubscriptionFilters {
  /** From the text that a pull carries (sysFlag bit 2). */
  ofText(pull: {
    topic: string
    group: string
    expression: string | undefined
    type: string | undefined
  }): MessageFilter | PullStop | undefined
  /** Of what a group's heartbeats say; `subVersion` is the one of the pull. */
  ofGroup(group: string, subscription: SubscriptionData, subVersion: number): MessageFilter | PullStop | undefined
}

/**
 * Whose messages a pull wants (remoting.md 10): the text that the pull carries, or what the group's heartbeats say,
 * with the refusals of the table there.
 */
export class PullSubscriptions {
  private readonly parts: {
    readonly consumers: ConsumerGroups
    readonly groups: GroupTable
    readonly filters: SubscriptionFilters
    readonly before: Pick<KnownBefore, 'has'>
  }

  constructor(parts: PullSubscriptions['parts']) {
    this.parts = parts
  }

  filterOf(view: PullView): MessageFilter | PullStop | undefined {
    const { consumers, groups, filters } = this.parts
    const group = consumers.find(view.consumerGroup)
    if (group?.messageModel === 'BROADCASTING' && groups.find(view.consumerGroup)?.consumeBroadcastEnable === false) {
      return {
        code: ResponseCode.noPermission,
        remark: `consumer group ${view.consumerGroup} may not consume in broadcasting (consumeBroadcastEnable=false)`,
      }
    }
    if ((view.sysFlag & PullFlag.subscription) !== 0) {
      const { topic, subscription: expression, expressionType: type } = view
      return filters.ofText({ topic, group: view.consumerGroup, expression, type })
    }
    if (group === undefined && this.mayHaveAll(view)) return undefined
    const subscription = subscriptionOf(view, group)
    if ('code' in subscription) return subscription
    if (subscription.classFilterMode) return undefined
    if (subscription.subVersion < view.subVersion) return filterOfOutdated(view, subscription)
    return filters.ofGroup(view.consumerGroup, subscription, view.subVersion)
  }

  /**
   * Its heartbeat is still to come since this broker, or its life as the master, began a moment ago: RocketMQ lets it wait for that, half a
   * minute with Java's clients of 4.9 and Go's. Whoever filters by tags compares their texts itself.
   */
  private mayHaveAll({ consumerGroup, expressionType, sysFlag }: PullView): boolean {
    const { groups, before } = this.parts
    return (
      before.has(consumerGroup) &&
      isTagType(expressionType) &&
      (sysFlag & PullFlag.classFilter) === 0 &&
      groups.find(consumerGroup)?.consumeBroadcastEnable !== false
    )
  }
}

function subscriptionOf(view: PullView, group: ConsumerGroup | undefined): SubscriptionData | PullStop {
  if (group === undefined) {
    return {
      code: ResponseCode.subscriptionNotExist,
      remark: `consumer group ${view.consumerGroup} is not online here: no heartbeat announced it`,
    }
  }
  const found = group.subscriptions.get(view.topic)
  if (found === undefined) {
    return {
      code: ResponseCode.subscriptionNotExist,
      remark: `consumer group ${view.consumerGroup} does not subscribe to ${view.topic}`,
    }
  }
  return found
}

/**
 * The heartbeat that tells of the pull's subscription is still to come: up to half a minute when a 5.x Java client drops
 * it, which it does when another one is on its way (as happens a second after its start). Whoever filters by tags
 * compares their texts itself and may be given everything; a filter that only the broker evaluates is waited for.
 */
function filterOfOutdated(view: PullView, known: SubscriptionData): PullStop | undefined {
  if (isTagType(view.expressionType) && isTagType(known.expressionType)) return undefined
  return {
    code: ResponseCode.subscriptionNotLatest,
    remark: `the subscription of ${view.consumerGroup} to ${view.topic} is older here (${known.subVersion}) than in the pull (${view.subVersion})`,
  }
}
