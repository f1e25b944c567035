import {
  type ConsumeStats,
  getBrokerConsumeStats,
  getConsumeStats,
  getTopicStatsInfo,
  queryConsumeTimeSpan,
  ResponseCode,
} from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import { consumeStats, type ProgressParts, timeSpans, topicOffsets } from './progress.ts'

export interface ProgressRouteParts extends ProgressParts {
  readonly groups: () => Iterable<string>
  readonly isOrder: (topic: string) => boolean
  readonly brokerAddr: string
  /** Messages per second that were sent to a topic of late. */
  readonly topicPutTps: (topic: string) => number
}

/** 202, 208, 303, 317 (admin.md 2 and 3): how much there is, and how much of it is consumed. */
export function progressRoutes(parts: ProgressRouteParts): Route[] {
  return [
    route(getTopicStatsInfo, async ({ topic }) => {
      const config = parts.topic(topic)
      if (config === undefined) return refuse(ResponseCode.topicNotExist, `topic ${topic} does not exist here`)
      const offsetTable = await topicOffsets(parts, topic, config.writeQueueNums)
      return ok({}, getTopicStatsInfo.replyBody!.encode({ offsetTable, topicPutTps: parts.topicPutTps(topic) }))
    }),
    route(getConsumeStats, async ({ consumerGroup, topic, topicList }) => {
      const wanted = [topic ?? '', ...(topicList ?? '').split(';')].filter(name => name !== '')
      return ok({}, getConsumeStats.replyBody!.encode(await consumeStats(parts, consumerGroup, wanted)))
    }),
    route(queryConsumeTimeSpan, async ({ topic, group }) => {
      if (parts.topic(topic) === undefined)
        return refuse(ResponseCode.topicNotExist, `topic ${topic} does not exist here`)
      const consumeTimeSpanSet = await timeSpans(parts, group, topic)
      return ok({}, queryConsumeTimeSpan.replyBody!.encode({ consumeTimeSpanSet }))
    }),
    route(getBrokerConsumeStats, async ({ isOrder }) =>
      ok({}, getBrokerConsumeStats.replyBody!.encode(await brokerConsumeStats(parts, isOrder))),
    ),
  ]
}

/** One entry per group and topic; only order topics where the tool asks for those. */
async function brokerConsumeStats(parts: ProgressRouteParts, isOrder: boolean) {
  const consumeStatsList: Map<string, ConsumeStats[]>[] = []
  let totalDiff = 0
  for (const group of parts.groups()) {
    const list: ConsumeStats[] = []
    for (const topic of parts.offsets.topicsOf(group)) {
      if (isOrder && !parts.isOrder(topic)) continue
      const stats = await consumeStats(parts, group, [topic])
      if (stats.offsetTable.size === 0) continue
      for (const { brokerOffset, consumerOffset } of stats.offsetTable.values())
        totalDiff += brokerOffset - consumerOffset
      list.push(stats)
    }
    if (list.length > 0) consumeStatsList.push(new Map([[group, list]]))
  }
  return { consumeStatsList, brokerAddr: parts.brokerAddr, totalDiff }
}
