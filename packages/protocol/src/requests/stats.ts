import { queryConsumeQueueBody } from '../bodies/consume-queue.ts'
import {
  brokerStatsBody,
  consumeStatsBody,
  consumeStatsListBody,
  consumeTimeSpanBody,
  topicStatsBody,
} from '../bodies/stats.ts'
import { bool, int, long, optional, text } from '../field.ts'
import { defineRequest } from '../request.ts'

const tools = { direction: 'tools to broker' } as const

/** One entry per write queue; an empty queue has lastUpdateTimestamp 0. */
export const getTopicStatsInfo = defineRequest({
  name: 'GET_TOPIC_STATS_INFO',
  code: 202,
  header: { topic: text },
  replyBody: topicStatsBody,
  section: 'admin.md 2',
  ...tools,
})

/** One entry per read queue; without a topic all topics with offsets of the group. */
export const getConsumeStats = defineRequest({
  name: 'GET_CONSUME_STATS',
  code: 208,
  header: { consumerGroup: text, topic: optional(text), topicList: optional(text) },
  replyBody: consumeStatsBody,
  section: 'admin.md 3',
  ...tools,
})

export const getBrokerConsumeStats = defineRequest({
  name: 'GET_BROKER_CONSUME_STATS',
  code: 317,
  header: { isOrder: bool },
  replyBody: consumeStatsListBody,
  section: 'admin.md 3',
  ...tools,
})

export const queryConsumeTimeSpan = defineRequest({
  name: 'QUERY_CONSUME_TIME_SPAN',
  code: 303,
  header: { topic: text, group: text },
  replyBody: consumeTimeSpanBody,
  section: 'admin.md 2',
  ...tools,
})

/** Answered with 0, a remark and no body when the index is absent. */
export const queryConsumeQueue = defineRequest({
  name: 'QUERY_CONSUME_QUEUE',
  code: 321,
  header: {
    topic: optional(text),
    queueId: optional(int),
    index: optional(long),
    count: optional(int),
    consumerGroup: optional(text),
  },
  replyBody: queryConsumeQueueBody,
  section: 'admin.md 2',
  ...tools,
})

/** Answered with 1 for an item that was never counted. */
export const viewBrokerStatsData = defineRequest({
  name: 'VIEW_BROKER_STATS_DATA',
  code: 315,
  header: { statsName: text, statsKey: text },
  replyBody: brokerStatsBody,
  section: 'admin.md 4',
  ...tools,
})
