import type { ConsumeProgress, ConsumeStats, ConsumeTimeSpan, MessageQueue, TopicOffset } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import { Pace } from '../pace.ts'

export interface ProgressParts {
  readonly store: Pick<MessageStore, 'minOffset' | 'maxOffset' | 'storedAt' | 'earliestStoredAt'>
  readonly offsets: OffsetTable
  readonly consumers: ConsumerGroups
  readonly topic: (topic: string) => { readonly readQueueNums: number; readonly writeQueueNums: number } | undefined
  readonly brokerName: string
  readonly clock: Pick<Clock, 'after' | 'now'>
  /** Messages per second that a group took of a topic of late. */
  readonly consumeTps: (group: string, topic: string) => number
  /** Behind what a group pulled last of a queue; undefined when that is not known. */
  readonly pulledTo: (group: string, topic: string, queueId: number) => number | undefined
}

/** 202: what each write queue of a topic holds. */
export async function topicOffsets(
  parts: ProgressParts,
  topic: string,
  queues: number,
): Promise<Map<MessageQueue, TopicOffset>> {
  const { store, brokerName } = parts
  const table = new Map<MessageQueue, TopicOffset>()
  const pace = new Pace(parts.clock)
  for (let queueId = 0; queueId < queues; queueId++) {
    await pace.queue()
    const [minOffset, maxOffset] = [store.minOffset(topic, queueId), store.maxOffset(topic, queueId)]
    const storedAt = maxOffset > 0 ? await store.storedAt(topic, queueId, maxOffset - 1) : 0
    table.set({ topic, brokerName, queueId }, { minOffset, maxOffset, lastUpdateTimestamp: Math.max(0, storedAt) })
  }
  return table
}

/**
 * 208: how far a group is in the read queues of its topics. Without wishes these are all topics in which it has offsets;
 * of a group that is online, those which it no longer subscribes to are left out.
 */
export async function consumeStats(
  parts: ProgressParts,
  group: string,
  wanted: readonly string[],
  pace = new Pace(parts.clock),
): Promise<ConsumeStats> {
  const { consumers, offsets } = parts
  const online = consumers.find(group)
  const offsetTable = new Map<MessageQueue, ConsumeProgress>()
  let consumeTps = 0
  for (const topic of wanted.length > 0 ? wanted : offsets.topicsOf(group)) {
    const config = parts.topic(topic)
    if (config === undefined) continue
    if (online !== undefined && online.subscriptions.size > 0 && !online.subscriptions.has(topic)) continue
    for (let queueId = 0; queueId < config.readQueueNums; queueId++) {
      await pace.queue()
      offsetTable.set(
        { topic, brokerName: parts.brokerName, queueId },
        await progressOf(parts, { group, topic, queueId }),
      )
    }
    consumeTps += parts.consumeTps(group, topic)
  }
  return { offsetTable, consumeTps }
}

async function progressOf(
  { store, offsets, pulledTo }: ProgressParts,
  { group, topic, queueId }: { group: string; topic: string; queueId: number },
): Promise<ConsumeProgress> {
  const brokerOffset = store.maxOffset(topic, queueId)
  const consumerOffset = Math.max(0, offsets.find(group, topic, queueId) ?? 0)
  const storedAt = consumerOffset > 0 ? await store.storedAt(topic, queueId, consumerOffset - 1) : 0
  // Of a topic's former life when it lies behind the end.
  const pulled = Math.min(pulledTo(group, topic, queueId) ?? 0, brokerOffset)
  const pullOffset = Math.max(consumerOffset, pulled)
  return { brokerOffset, consumerOffset, lastTimestamp: Math.max(0, storedAt), pullOffset }
}

/** 303: from when to when the messages of each queue are, and how late the group is. */
export async function timeSpans(parts: ProgressParts, group: string, topic: string): Promise<ConsumeTimeSpan[]> {
  const { store, offsets, brokerName } = parts
  const spans: ConsumeTimeSpan[] = []
  const pace = new Pace(parts.clock)
  for (let queueId = 0; queueId < (parts.topic(topic)?.writeQueueNums ?? 0); queueId++) {
    await pace.queue()
    const maxOffset = store.maxOffset(topic, queueId)
    const consumed = offsets.find(group, topic, queueId)
    const minTimeStamp = await store.earliestStoredAt(topic, queueId)
    const maxTimeStamp = maxOffset > 0 ? await store.storedAt(topic, queueId, maxOffset - 1) : -1
    const consumeTimeStamp =
      consumed === undefined
        ? minTimeStamp
        : consumed > 0
          ? await store.storedAt(topic, queueId, consumed - 1)
          : minTimeStamp
    const isBehind = (consumed ?? 0) < maxOffset
    const nextAt = isBehind
      ? await store.storedAt(topic, queueId, Math.max(store.minOffset(topic, queueId), consumed ?? 0))
      : 0
    spans.push({
      messageQueue: { topic, brokerName, queueId },
      minTimeStamp,
      maxTimeStamp,
      consumeTimeStamp,
      delayTime: isBehind && nextAt > 0 ? Math.max(0, parts.clock.now() - nextAt) : 0,
    })
  }
  return spans
}
