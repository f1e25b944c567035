import {
  changeTimer,
  encodeHost,
  getTimerCheckPoint,
  getTimerMetrics,
  getTimers,
  ResponseCode,
  recallMessage,
} from '@skua-mq/protocol'
import { type Connection, ok, type Route, refuse, route } from '@skua-mq/remoting'
import { encodeTimerCheckpoint, noTimerCheckpoint, type TimerCheckpoint } from '@skua-mq/store'
import type { Recall } from './recall.ts'
import type { TimerChange } from './timer-change.ts'
import type { TimerTopicCounts } from './timer-counts.ts'
import type { TimerList } from './timer-list.ts'

const unknownHost = new Uint8Array(8)

const hostOf = ({ remote }: Pick<Connection, 'remote'>) => encodeHost(remote.host, remote.port) ?? unknownHost

/** 60 and 61: what slaves take. 370: a message is taken back. 30003 and 30004, our own: what waits, and another time for it. */
export const timerRoutes = (parts: {
  readonly checkpoint: () => TimerCheckpoint | undefined
  readonly counts: TimerTopicCounts
  readonly recall: Recall
  readonly list: TimerList
  readonly change: TimerChange
  /** The wheel turns here: no slave's, timerWheelEnable. */
  readonly runs: boolean
}): Route[] => [
  route(getTimerCheckPoint, () => ok({}, encodeTimerCheckpoint(parts.checkpoint() ?? noTimerCheckpoint))),
  route(getTimerMetrics, () => ok({}, getTimerMetrics.replyBody!.encode(parts.counts.table()))),
  route(recallMessage, (header, { connection }) => parts.recall.take(header, hostOf(connection))),
  route(getTimers, async header => {
    if (!parts.runs) return notHere
    const page = await parts.list.page(header)
    if (page === undefined) return refuse(ResponseCode.systemError, `"${header.cursor}" is no cursor of an answer`)
    return ok({}, getTimers.replyBody!.encode(page))
  }),
  route(changeTimer, (header, { connection }) =>
    parts.runs ? parts.change.take(header, hostOf(connection)) : notHere,
  ),
]

const notHere = refuse(
  ResponseCode.illegalOperation,
  'messages wait at the master, and where timerWheelEnable is true: ask there',
)
