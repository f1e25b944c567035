import { encodeHost, getTimerCheckPoint, getTimerMetrics, recallMessage } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import { encodeTimerCheckpoint, noTimerCheckpoint, type TimerCheckpoint } from '@skua-mq/store'
import type { Recall } from './recall.ts'
import type { TimerTopicCounts } from './timer-counts.ts'

const unknownHost = new Uint8Array(8)

/** 60 and 61: what slaves take. 370: a message is taken back. */
export const timerRoutes = (parts: {
  readonly checkpoint: () => TimerCheckpoint | undefined
  readonly counts: TimerTopicCounts
  readonly recall: Recall
}): Route[] => [
  route(getTimerCheckPoint, () => ok({}, encodeTimerCheckpoint(parts.checkpoint() ?? noTimerCheckpoint))),
  route(getTimerMetrics, () => ok({}, getTimerMetrics.replyBody!.encode(parts.counts.table()))),
  route(recallMessage, (header, { connection }) =>
    parts.recall.take(header, encodeHost(connection.remote.host, connection.remote.port) ?? unknownHost),
  ),
]
