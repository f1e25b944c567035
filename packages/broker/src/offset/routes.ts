import {
  cloneGroupOffset,
  getAllConsumerOffset,
  getEarliestMsgStoretime,
  getMaxOffset,
  getMinOffset,
  queryConsumerOffset,
  ResponseCode,
  searchOffsetByTimestamp,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { type Connection, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { MessageStore } from '@skua-mq/store'
import type { OffsetTable } from './offset-table.ts'

export interface OffsetRouteParts {
  readonly offsets: OffsetTable
  readonly store: Pick<
    MessageStore,
    'maxOffset' | 'minOffset' | 'offsetByTime' | 'earliestStoredAt' | 'firstMessageInMemory'
  >
  readonly hasTopic: (topic: string) => boolean
  /** The client id of a connection that is a member of the group; undefined for tools and strangers. */
  readonly memberOf?: (group: string, connection: Connection) => string | undefined
  /** Whether a group that is online subscribes to a topic; undefined for a group that is not online. */
  readonly subscribes?: (group: string, topic: string) => boolean | undefined
}

/** 14, 15, 29 to 32, 43, 314 (remoting.md 11 and 16, admin.md 3). */
export function offsetRoutes(parts: OffsetRouteParts): Route[] {
  return [...consumerOffsetRoutes(parts), ...queueRoutes(parts), cloneRoute(parts)]
}

function consumerOffsetRoutes({ offsets, store, memberOf }: OffsetRouteParts): Route[] {
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
      const clientId = memberOf?.(consumerGroup, connection)
      const taken = offsets.commit({
        group: consumerGroup,
        topic,
        queueId,
        offset: commitOffset,
        who: clientId === undefined ? peerOf(connection) : `${clientId} at ${peerOf(connection)}`,
        byHand: memberOf !== undefined && clientId === undefined,
      })
      if (taken) return ok({})
      return refuse(ResponseCode.systemError, `offset ${commitOffset} is none, or the broker keeps no further ones`)
    }),
    route(getAllConsumerOffset, () => ok({}, getAllConsumerOffset.replyBody!.encode({ offsetTable: offsets.all() }))),
  ]
}

function queueRoutes({ store, hasTopic }: OffsetRouteParts): Route[] {
  return [
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

/** Topics that are gone, or which an online source group does not subscribe to, are left out unless `offline`. */
function cloneRoute({ offsets, hasTopic, subscribes }: OffsetRouteParts): Route {
  return route(cloneGroupOffset, ({ srcGroup, destGroup, topic, offline }, { connection }) => {
    const topics = topic === undefined || topic === '' ? offsets.topicsOf(srcGroup) : [topic]
    for (const name of topics) {
      if (!hasTopic(name)) continue
      if (offline !== true && subscribes?.(srcGroup, name) === false) continue
      offsets.clone({
        from: srcGroup,
        to: destGroup,
        topic: name,
        who: `clone of ${srcGroup} by ${peerOf(connection)}`,
      })
    }
    return ok({})
  })
}

const peerOf = ({ remote }: Connection): string => `${remote.host}:${remote.port}`
