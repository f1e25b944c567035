import { hotPull, type PullView } from '@skua-mq/protocol'
import { hotRoute } from '@skua-mq/remoting'
import { part } from '@skua-mq/runtime'
import type { GetResult } from '@skua-mq/store'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { KnownBefore } from '../client-table/known-before.ts'
import { over } from '../config/over.ts'
import type { ExpressionFilters } from '../filter/subscription-filters.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { PendingResets } from '../offset/pending-resets.ts'
import type { Traffic } from '../stats/traffic.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { PullHandler } from './pull-handler.ts'
import { PullSubscriptions } from './subscription-filter.ts'

type Needs = On<'config' | 'dialect' | 'runtime' | 'store' | 'totalMemoryBytes'> & {
  topics: TopicTable
  groups: GroupTable
  offsets: OffsetTable
  resets: PendingResets
  consumers: ConsumerGroups
  before: KnownBefore
  filters: ExpressionFilters
  traffic: Traffic
}

/** Pulls of consumers, those that are held included. */
export const pulls: Feature<Needs> = {
  name: 'pulls',
  make: needs => {
    const handler = handlerOf(needs)
    needs.store.onArrival(handler)
    return {
      hot: [hotRoute(hotPull, (view, token) => handler.handle(view, token))],
      presence: [part('held pulls', { stop: () => handler.stop() })],
      gauges: { heldPulls: () => handler.held.size },
      topicDeleted: topic => handler.topicDeleted(topic),
      offsetReset: (topic, queueId) => handler.arrived(topic, queueId),
    }
  },
}

function handlerOf(needs: Needs): PullHandler {
  const { config, runtime, store, totalMemoryBytes, topics, groups, offsets, resets } = needs
  const subscriptions = new PullSubscriptions(needs)
  return new PullHandler({
    store,
    dialect: needs.dialect,
    clock: runtime.clock,
    topic: topic => topics.find(topic),
    group: group => groups.findOrCreate(group),
    filterOf: view => subscriptions.filterOf(view),
    resetOf: view => resets.take({ group: view.consumerGroup, topic: view.topic, queueId: view.queueId }),
    counted: countedBy(needs.traffic),
    commit: (view, who) =>
      offsets.commit({
        group: view.consumerGroup,
        topic: view.topic,
        queueId: view.queueId,
        offset: view.commitOffset,
        who,
      }),
    settings: over(config, {
      brokerPermission: () => config.brokerPermission,
      slowReaderBytes: () => (totalMemoryBytes * config.accessMessageInMemoryMaxRatio) / 100,
    }),
  })
}

function countedBy(traffic: Traffic): (view: PullView, result: GetResult) => void {
  // One object for all pulls.
  const got = { queueId: 0, nextOffset: 0, count: 0, bytes: 0 }
  return (view, result) => {
    if (result.count === 0) {
      traffic.missed.add(1)
      return
    }
    traffic.found.add(1)
    got.queueId = view.queueId
    got.nextOffset = result.nextOffset
    got.count = result.count
    got.bytes = result.bytes
    traffic.countGet(view.consumerGroup, view.topic, got)
  }
}
