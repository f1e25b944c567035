import {
  cloneGroupOffset,
  consumerOffsetBody,
  correctionOffsetBody,
  type DataVersion,
  getAllConsumerOffset,
  getEarliestMsgStoretime,
  getMaxOffset,
  getMinOffset,
  type HeaderOf,
  queryConsumerOffset,
  queryCorrectionOffset,
  ResponseCode,
  searchOffsetByTimestamp,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import {
  type Connection,
  inTurns,
  LargeAnswer,
  largeAnswerBytes,
  ok,
  type Route,
  refuse,
  route,
} from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { Pace } from '../pace.ts'
import type { OffsetTable } from './offset-table.ts'

export interface OffsetRouteParts {
  readonly offsets: OffsetTable
  readonly clock: Pick<Clock, 'after'>
  readonly store: Pick<
    MessageStore,
    'maxOffset' | 'minOffset' | 'offsetByTime' | 'earliestStoredAt' | 'firstMessageInMemory'
  >
  readonly hasTopic: (topic: string) => boolean
  /** Whether a group is there (dialect: offsetCommitIsChecked); left out: nobody asks. */
  readonly hasGroup?: ((group: string) => boolean) | undefined
  /** Of the table of offsets (dialect: offsetsHaveVersion). */
  readonly version?: (() => DataVersion) | undefined
  /** The client id of a connection that is a member of the group; undefined for tools and strangers. */
  readonly memberOf?: (group: string, connection: Connection) => string | undefined
  /** Whether a group that is online subscribes to a topic; undefined for a group that is not online. */
  readonly subscribes?: (group: string, topic: string) => boolean | undefined
}

/** 14, 15, 29 to 32, 43, 308, 314 (remoting.md 11 and 16, admin.md 3). */
export function offsetRoutes(parts: OffsetRouteParts): Route[] {
  return [...consumerOffsetRoutes(parts), ...queueRoutes(parts), cloneRoute(parts), correctionRoute(parts)]
}

function consumerOffsetRoutes(parts: OffsetRouteParts): Route[] {
  const { offsets, clock, store, memberOf, hasTopic, hasGroup, version } = parts
  const versioned = () => (version === undefined ? {} : { dataVersion: version() })
  const all = new LargeAnswer(clock, () => consumerOffsetBody.slices({ ...versioned(), offsetTable: offsets.all() }))
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
      if (hasGroup?.(consumerGroup) === false)
        return refuse(ResponseCode.subscriptionGroupNotExist, `consumer group ${consumerGroup} does not exist here`)
      if (hasGroup !== undefined && !hasTopic(topic))
        return refuse(ResponseCode.topicNotExist, `topic ${topic} does not exist here`)
      // Who has consumed a topic that is deleted goes on to say so: one that is made anew begins without it.
      if (!hasTopic(topic)) return ok({})
      const clientId = memberOf?.(consumerGroup, connection)
      const commit = { group: consumerGroup, topic, queueId, offset: commitOffset }
      const taken = offsets.commit({
        ...commit,
        who: clientId === undefined ? peerOf(connection) : `${clientId} at ${peerOf(connection)}`,
        request: updateConsumerOffset.name,
        byHand: memberOf !== undefined && clientId === undefined,
      })
      return taken ? ok({}) : refuse(ResponseCode.systemError, offsets.reasonOf(commit))
    }),
    route(getAllConsumerOffset, async () => ok({}, await all.bytes()), { readBytes: largeAnswerBytes }),
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
function cloneRoute({ offsets, clock, hasTopic, subscribes }: OffsetRouteParts): Route {
  return route(cloneGroupOffset, async ({ srcGroup, destGroup, topic, offline }, { connection }) => {
    const topics = topic === undefined || topic === '' ? offsets.topicsOf(srcGroup) : [topic]
    const pace = new Pace(clock)
    let isWhole = true
    for (const name of topics) {
      if (!hasTopic(name)) continue
      if (offline !== true && subscribes?.(srcGroup, name) === false) continue
      const who = `clone of ${srcGroup} by ${peerOf(connection)}`
      for (const [queueId, offset] of offsets.ofTopic(srcGroup, name)) {
        await pace.entry()
        if (!isWhole || !hasTopic(name)) break
        const request = cloneGroupOffset.name
        isWhole = offsets.commit({ group: destGroup, topic: name, queueId, offset, who, request, byHand: true })
      }
    }
    // What was taken before a refusal stays.
    await offsets.settled()
    if (isWhole) return ok({})
    const remark = `not all offsets were cloned: the name ${destGroup} is too long, or the broker keeps no further ones`
    return refuse(ResponseCode.systemError, remark)
  })
}

/**
 * 308: the smallest offsets that groups have in a topic's queues, Long.MAX_VALUE where the compared group has not come so
 * far. Offsets of messages that are gone do not count.
 */
function correctionRoute({ offsets, clock, store }: OffsetRouteParts): Route {
  const answer = async ({ filterGroups = '', compareGroup, topic }: HeaderOf<typeof queryCorrectionOffset>) => {
    const left = new Set(filterGroups.split(','))
    const smallest = new Map<number, number>()
    const pace = new Pace(clock)
    for (const group of offsets.groupsOf(topic)) {
      if (left.has(group)) continue
      for (const [queueId, offset] of offsets.ofTopic(group, topic)) {
        await pace.entry()
        if (offset >= store.minOffset(topic, queueId))
          smallest.set(queueId, Math.min(offset, smallest.get(queueId) ?? offset))
      }
    }
    const corrected = corrections(smallest, offsets.ofTopic(compareGroup, topic))
    return ok({}, await inTurns(clock, correctionOffsetBody.slices({ correctionOffsets: corrected })))
  }
  return route(queryCorrectionOffset, answer, { readBytes: largeAnswerBytes })
}

/** Made while they are written. */
function corrections(
  smallest: ReadonlyMap<number, number>,
  compared: ReadonlyMap<number, number>,
): Map<number, bigint> {
  const entries = function* (): Generator<[number, bigint]> {
    for (const [queueId, offset] of smallest)
      yield [queueId, offset > (compared.get(queueId) ?? offset) ? longMax : BigInt(offset)]
  }
  return { [Symbol.iterator]: entries } as unknown as Map<number, bigint>
}

const longMax = 2n ** 63n - 1n

const peerOf = ({ remote }: Connection): string => `${remote.host}:${remote.port}`
