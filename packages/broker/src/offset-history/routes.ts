import { getOffsetHistory } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import type { OffsetHistory } from './offset-history.ts'

/** 30002, our own. */
export const historyRoutes = (history: Pick<OffsetHistory, 'of'>): Route[] => [
  route(getOffsetHistory, ({ consumerGroup, topic, limit }) => {
    const moves = history.of(consumerGroup, { topic, limit })
    return ok({}, getOffsetHistory.replyBody!.encode({ moves }))
  }),
]
