import { getTopicStatsInfo, queryConsumeQueue, queryTopicConsumeByWho } from '@skua-mq/protocol'
import { compareText, each } from '../each.ts'
import { AdminError } from '../error.ts'
import { compareQueues } from '../queue-progress.ts'
import type { AdminSession } from '../session.ts'
import { brokersOf, topicRoute } from './route.ts'

/** What a queue holds. */
export interface QueueStats {
  readonly topic: string
  readonly brokerName: string
  readonly queueId: number
  readonly minOffset: number
  /** The offset that the next message will get. */
  readonly maxOffset: number
  /** Store time of the newest message, ms since 1970; 0 for an empty queue. */
  readonly lastUpdateMs: number
}

/** Each queue of the topic, by broker and id. Errors: NOT_FOUND. */
export async function topicStats(session: AdminSession, topic: string): Promise<QueueStats[]> {
  const brokers = brokersOf(await topicRoute(session, topic))
  const tables = await each(brokers, ({ address }) =>
    session.read(address, { spec: getTopicStatsInfo, header: { topic } }),
  )
  const rows = tables.flatMap(({ offsetTable }) =>
    [...offsetTable].map(([queue, { minOffset, maxOffset, lastUpdateTimestamp }]) => {
      return { ...queue, minOffset, maxOffset, lastUpdateMs: lastUpdateTimestamp }
    }),
  )
  return rows.sort(compareQueues)
}

/** What queues hold together: messages, and when the newest one was stored; 0 where there is none. */
export const heldBy = (
  queues: readonly Pick<QueueStats, 'minOffset' | 'maxOffset' | 'lastUpdateMs'>[],
): { readonly messages: number; readonly lastUpdateMs: number } => ({
  messages: queues.reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0),
  lastUpdateMs: Math.max(0, ...queues.map(({ lastUpdateMs }) => lastUpdateMs)),
})

/** Groups that consume the topic, online or not, sorted. Errors: NOT_FOUND. */
export async function topicGroups(session: AdminSession, topic: string): Promise<string[]> {
  const brokers = brokersOf(await topicRoute(session, topic))
  const lists = await each(brokers, ({ address }) =>
    session.read(address, { spec: queryTopicConsumeByWho, header: { topic } }),
  )
  return [...new Set(lists.flatMap(({ groupList }) => groupList))].sort(compareText)
}

/** What `queueUnits` takes. */
export interface QueueUnitsOptions {
  readonly topic: string
  readonly queueId: number
  /** Queue offset of the first unit. */
  readonly index: number
  /** Default 10. */
  readonly count?: number | undefined
  /** host:port. Default: the first broker of the topic. */
  readonly brokerAddr?: string | undefined
  /** Says of each unit whether this group would get it. */
  readonly consumerGroup?: string | undefined
}

/** One unit of a consume queue. */
export interface QueueUnit {
  readonly queueOffset: number
  readonly physicalOffset: number
  /** Bytes of the message. */
  readonly size: number
  /** Hash of the tags; 64 bits. */
  readonly tagsCode: string
  /** Whether the group's filter lets it pass. */
  readonly passes: boolean
  readonly note: string | undefined
}

/** A part of a consume queue, and where the whole begins and ends. */
export interface QueueUnits {
  readonly minIndex: number
  readonly maxIndex: number
  readonly units: readonly QueueUnit[]
}

/** Looks into a consume queue. Errors: NOT_FOUND for a topic or an index that is not there. */
export async function queueUnits(session: AdminSession, options: QueueUnitsOptions): Promise<QueueUnits> {
  const { topic, queueId, index, count = 10, consumerGroup } = options
  const address = options.brokerAddr ?? brokersOf(await topicRoute(session, topic))[0]?.address ?? ''
  const header = { topic, queueId, index, count, consumerGroup }
  const reply = await session.ask(address, { spec: queryConsumeQueue, header })
  if (reply.body === undefined)
    throw new AdminError('NOT_FOUND', `queue ${queueId} of ${topic} at ${address}: ${reply.remark ?? 'nothing there'}`)
  const { queueData, minQueueIndex, maxQueueIndex } = queryConsumeQueue.replyBody!.decode(reply.body)
  const units = queueData.map(({ physicOffset, physicSize, tagsCode, eval: passes, msg }, i) => ({
    queueOffset: index + i,
    physicalOffset: physicOffset,
    size: physicSize,
    tagsCode: String(tagsCode),
    passes,
    note: msg,
  }))
  return { minIndex: minQueueIndex, maxIndex: maxQueueIndex, units }
}
