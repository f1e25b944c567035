import {
  getEarliestMsgStoretime,
  getMaxOffset,
  getMinOffset,
  queryConsumerOffset,
  ResponseCode,
  searchOffsetByTimestamp,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { MessageStore } from '@skua-mq/store'
import type { OffsetTable } from './offset-table.ts'

/** 14, 15, 29, 30, 31, 32 (remoting.md 11). */
export function offsetRoutes(parts: {
  readonly offsets: OffsetTable
  readonly store: Pick<
    MessageStore,
    'maxOffset' | 'minOffset' | 'offsetByTime' | 'earliestStoredAt' | 'firstMessageInMemory' | 'queue'
  >
  readonly hasTopic: (topic: string) => boolean
}): Route[] {
  const { offsets, store, hasTopic } = parts
  return [
    route(queryConsumerOffset, ({ consumerGroup, topic, queueId, setZeroIfNotFound }) => {
      const offset = offsets.find(consumerGroup, topic, queueId)
      if (offset !== undefined) return ok({ offset })
      // A new group on a young topic starts from its beginning, also with CONSUME_FROM_LAST_OFFSET.
      const young = store.minOffset(topic, queueId) <= 0 && store.firstMessageInMemory(topic, queueId)
      if (young && setZeroIfNotFound !== false) return ok({ offset: 0 })
      return refuse(ResponseCode.queryNotFound, `group ${consumerGroup} has no offset in queue ${queueId} of ${topic}`)
    }),
    route(updateConsumerOffset, ({ consumerGroup, topic, queueId, commitOffset }, { connection }) => {
      offsets.commit({
        group: consumerGroup,
        topic,
        queueId,
        offset: commitOffset,
        who: `${connection.remote.host}:${connection.remote.port}`,
      })
      return ok({})
    }),
    route(searchOffsetByTimestamp, async ({ topic, queueId, timestamp }) => {
      if (!hasTopic(topic)) return refuse(ResponseCode.topicNotExist, `topic ${topic} does not exist here`)
      return ok({ offset: await store.offsetByTime(topic, queueId, timestamp) })
    }),
    route(getMaxOffset, ({ topic, queueId }) => ok({ offset: store.maxOffset(topic, queueId) })),
    route(getMinOffset, ({ topic, queueId }) => ok({ offset: store.minOffset(topic, queueId) })),
    route(getEarliestMsgStoretime, async ({ topic, queueId }) =>
      ok({ timestamp: await store.earliestStoredAt(topic, queueId) }),
    ),
  ]
}
