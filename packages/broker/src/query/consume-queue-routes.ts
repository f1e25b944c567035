import { type ConsumeQueueData, queryConsumeQueue, ResponseCode } from '@skua-mq/protocol'
import { answer, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { MessageFilter, MessageStore, QueueEntry } from '@skua-mq/store'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { PullStop } from '../pull/pull-handler.ts'
import type { SubscriptionFilters } from '../pull/subscription-filter.ts'

/** Units that one answer of 321 holds at most. */
export const maxUnits = 1000

export interface ConsumeQueueParts {
  readonly store: Pick<MessageStore, 'queue' | 'readRecord'>
  readonly consumers: ConsumerGroups
  readonly filters: SubscriptionFilters
}

/** 321 (admin.md 2): units of a queue, and whether a group would get their messages. */
export function consumeQueueRoutes(parts: ConsumeQueueParts): Route[] {
  const { store, consumers, filters } = parts
  return [
    route(queryConsumeQueue, async ({ topic = '', queueId = 0, index = 0, count = 10, consumerGroup = '' }) => {
      const queue = store.queue(topic, queueId)
      if (queue === undefined)
        return refuse(ResponseCode.systemError, `queue ${queueId} of ${topic} does not exist here`)
      const subscriptionData = consumers.subscription(consumerGroup, topic)
      const filter = subscriptionData && filters.ofGroup(consumerGroup, subscriptionData, subscriptionData.subVersion)
      const units = entriesOf(Math.max(0, Math.min(count, maxUnits)))
      const found = queue.entries(index, units)
      if (found === 0)
        return answer(
          ResponseCode.success,
          {},
          `index ${index} is not in queue ${queueId} of ${topic}: it holds ${queue.minOffset} to ${queue.maxOffset}`,
        )
      const queueData: ConsumeQueueData[] = []
      for (const unit of units.slice(0, found)) queueData.push(await dataOf(store, unit, filter))
      const { minOffset: minQueueIndex, maxOffset: maxQueueIndex } = queue
      const filterData = filter !== undefined && 'code' in filter ? filter.remark : undefined
      const body = { subscriptionData, filterData, queueData, maxQueueIndex, minQueueIndex }
      return ok({}, queryConsumeQueue.replyBody!.encode(body))
    }),
  ]
}

const entriesOf = (count: number): QueueEntry[] =>
  Array.from({ length: count }, () => ({ physicalOffset: 0, size: 0, tagsCode: 0 }))

async function dataOf(
  store: ConsumeQueueParts['store'],
  { physicalOffset, size, tagsCode }: QueueEntry,
  filter: MessageFilter | PullStop | undefined,
): Promise<ConsumeQueueData> {
  const data = { physicOffset: physicalOffset, physicSize: size, tagsCode: BigInt(tagsCode) }
  if (filter === undefined) return { ...data, eval: true }
  if ('code' in filter) return { ...data, eval: false }
  if (!filter.matchesTag(tagsCode | 0)) return { ...data, eval: false }
  if (filter.matchesRecord === undefined) return { ...data, eval: true }
  const record = await store.readRecord(physicalOffset)
  return { ...data, eval: record !== undefined && filter.matchesRecord(record, 0, record.length) }
}
