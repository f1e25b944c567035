import {
  type ConsumeStats,
  consumeStatsBody,
  consumeStatsListBody,
  consumeTimeSpanBody,
  getBrokerConsumeStats,
  getConsumeStats,
  getTopicStatsInfo,
  queryConsumeTimeSpan,
  ResponseCode,
  topicStatsBody,
} from '@skua-mq/protocol'
import { inTurns, ok, type Route, refuse, route } from '@skua-mq/remoting'
import { Pace } from '../pace.ts'
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
  const { clock } = parts
  return [
    route(getTopicStatsInfo, async ({ topic }) => {
      const config = parts.topic(topic)
      if (config === undefined) return refuse(ResponseCode.topicNotExist, `topic ${topic} does not exist here`)
      const offsetTable = await topicOffsets(parts, topic, config.writeQueueNums)
      return ok({}, await inTurns(clock, topicStatsBody.slices({ offsetTable, topicPutTps: parts.topicPutTps(topic) })))
    }),
    route(getConsumeStats, async ({ consumerGroup, topic, topicList }) => {
      const wanted = [topic ?? '', ...(topicList ?? '').split(';')].filter(name => name !== '')
      const stats = await consumeStats(parts, consumerGroup, wanted)
      return ok({}, await inTurns(clock, consumeStatsBody.slices(stats)))
    }),
    route(queryConsumeTimeSpan, async ({ topic, group }) => {
      if (parts.topic(topic) === undefined)
        return refuse(ResponseCode.topicNotExist, `topic ${topic} does not exist here`)
      const consumeTimeSpanSet = await timeSpans(parts, group, topic)
      return ok({}, await inTurns(clock, consumeTimeSpanBody.slices({ consumeTimeSpanSet })))
    }),
    route(getBrokerConsumeStats, async ({ isOrder }) =>
      ok({}, await inTurns(clock, consumeStatsListBody.slices(await brokerConsumeStats(parts, isOrder)))),
    ),
  ]
}

/** One entry per group and topic; only order topics where the tool asks for those. */
async function brokerConsumeStats(parts: ProgressRouteParts, isOrder: boolean) {
  const consumeStatsList: Map<string, ConsumeStats[]>[] = []
  let totalDiff = 0
  const pace = new Pace(parts.clock)
  // Groups may come and go while it is looked at these.
  for (const group of [...parts.groups()]) {
    if (pace.isOver) await pace.pause()
    pace.passed()
    const list: ConsumeStats[] = []
    for (const topic of parts.offsets.topicsOf(group)) {
      if (isOrder && !parts.isOrder(topic)) continue
      const stats = await consumeStats(parts, group, [topic], pace)
      if (stats.offsetTable.size === 0) continue
      for (const { brokerOffset, consumerOffset } of stats.offsetTable.values())
        totalDiff += brokerOffset - consumerOffset
      list.push(stats)
    }
    if (list.length > 0) consumeStatsList.push(new Map([[group, list]]))
  }
  return { consumeStatsList, brokerAddr: parts.brokerAddr, totalDiff }
}
