import { type ConsumeQueueData, queryConsumeQueue, ResponseCode, type SubscriptionData } from '@skua-mq/protocol'
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
      const filterData =
        consumerGroup === '' ? undefined : filterDataOf({ consumerGroup, topic, subscriptionData, filter })
      const body = { subscriptionData, filterData, queueData, maxQueueIndex, minQueueIndex }
      return ok({}, queryConsumeQueue.replyBody!.encode(body))
    }),
  ]
}

/** A text in RocketMQ, too: the filter as JSON, which is null for tags, or why there is none. */
function filterDataOf({ consumerGroup, topic, subscriptionData, filter }: Filtered): string {
  if (subscriptionData === undefined) return `${consumerGroup}@${topic} is not online!`
  if (filter !== undefined && 'code' in filter) return filter.remark
  const { expressionType, subString: expression } = subscriptionData
  if (expressionType !== 'SQL92') return 'null'
  return JSON.stringify({ consumerGroup, topic, expression, expressionType }, undefined, '\t')
}

interface Filtered {
  readonly consumerGroup: string
  readonly topic: string
  readonly subscriptionData: SubscriptionData | undefined
  readonly filter: MessageFilter | PullStop | undefined
}

const entriesOf = (count: number): QueueEntry[] =>
  Array.from({ length: count }, () => ({ physicalOffset: 0, size: 0, tagsCode: 0 }))

async function dataOf(
  store: ConsumeQueueParts['store'],
  entry: QueueEntry,
  filter: MessageFilter | PullStop | undefined,
): Promise<ConsumeQueueData> {
  const { physicalOffset, size, tagsCode } = entry
  const data = { physicOffset: physicalOffset, physicSize: size, ...extended(entry) }
  if (filter === undefined) return { ...data, eval: true }
  if ('code' in filter) return { ...data, eval: false }
  if (!filter.matchesTag(tagsCode | 0)) return { ...data, eval: false }
  if (filter.matchesRecord === undefined) return { ...data, eval: true }
  const record = await store.readRecord(physicalOffset)
  return { ...data, eval: record !== undefined && filter.matchesRecord(record, 0, record.length) }
}

/** The tags code as it stands in the entry, and what its extended unit says, in the words of RocketMQ's tools. */
function extended({ tagsCode, ext }: QueueEntry): Partial<ConsumeQueueData> & { tagsCode: bigint } {
  if (ext === undefined) return { tagsCode: BigInt(tagsCode) }
  const address = BigInt(ext.address) - 2n ** 63n
  if (ext.unit === undefined) return { tagsCode: address, msg: `Cq extend not exist!addr: ${address}` }
  const { bitmap, storedAtMs: msgStoreTime } = ext.unit
  const filterBitMap = bitmap && Buffer.from(bitmap).toString('base64')
  const size = 20 + (bitmap?.length ?? 0)
  const extendDataJson = JSON.stringify({ filterBitMap, msgStoreTime, size, tagsCode })
  return { tagsCode: address, extendDataJson, ...(bitmap === undefined ? {} : { bitMap: bitText(bitmap) }) }
}

/** From the last bit to the first, eight bytes a line. */
function bitText(bitmap: Uint8Array): string {
  let text = ''
  for (let i = bitmap.length - 1; i >= 0; i--) {
    text += bitmap[i]!.toString(2).padStart(8, '0')
    if (i % 8 === 0) text += '\n'
  }
  return text
}
