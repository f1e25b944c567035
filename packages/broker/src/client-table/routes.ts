import {
  type BodyOf,
  type ConsumerData,
  checkClientConfig,
  type Dialect,
  getConsumerListByGroup,
  heartBeat,
  ResponseCode,
  retryPrefix,
  type SubscriptionData,
  unregisterClient,
} from '@skua-mq/protocol'
import { type Call, type Connection, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import type { GroupTable } from '../group/group-table.ts'
import { maxGroupLength } from '../topic/names.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { connectionRoutes } from './connection-routes.ts'
import type { ConsumerGroups } from './consumer-groups.ts'
import type { KnownBefore } from './known-before.ts'
import { Leavers } from './leavers.ts'
import type { ProducerGroups } from './producer-groups.ts'

export interface ClientRouteParts {
  readonly consumers: ConsumerGroups
  readonly before: Pick<KnownBefore, 'disbelieved'>
  readonly producers: ProducerGroups
  readonly groups: GroupTable
  readonly topics: TopicTable
  readonly dialect: Dialect
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  /** Why a subscription cannot be served here (SQL syntax, SQL switched off); undefined where it can. */
  readonly refusalOf: (subscription: SubscriptionData) => { code: Exclude<ResponseCode, 0>; remark: string } | undefined
  /** Resolves when the name servers know of topics that were just made, or do not answer. */
  readonly announced: () => Promise<void>
  /** A subscription came with a heartbeat: whoever compiles filters may take it. */
  readonly subscribed: (group: string, subscription: SubscriptionData) => void
}

/** 34, 35, 38, 46 of clients, 203, 204, 328 of tools. */
export function clientRoutes(parts: ClientRouteParts): Route[] {
  const leavers = new Leavers(parts.clock)
  const watched = new WeakSet<Connection>()
  const watch = (connection: Connection) => {
    if (watched.has(connection)) return
    watched.add(connection)
    connection.onClose(() => {
      leavers.add(parts.consumers.leaving(connection))
      leavers.add(parts.producers.leaving(connection))
    })
  }
  return [
    route(heartBeat, (_header, call) => beat(parts, call, watch)),
    route(unregisterClient, ({ producerGroup, consumerGroup }, { connection }) => {
      if (producerGroup !== undefined) parts.producers.unregister(producerGroup, connection)
      if (consumerGroup !== undefined)
        parts.consumers.unregister(consumerGroup, connection, notifies(parts, consumerGroup))
      return ok({})
    }),
    route(getConsumerListByGroup, async ({ consumerGroup }) => {
      const { consumers, before } = parts
      if (consumers.find(consumerGroup) === undefined) await before.disbelieved(consumerGroup)
      const members = [...(consumers.find(consumerGroup)?.members.values() ?? [])]
      if (members.length === 0)
        return refuse(ResponseCode.systemError, `no consumer of ${consumerGroup} is connected here`)
      const consumerIdList = [...new Set(members.map(member => member.clientId))]
      return ok({}, getConsumerListByGroup.replyBody!.encode({ consumerIdList }))
    }),
    route(checkClientConfig, (_header, { body }) => {
      if (body.length === 0) return ok({})
      const stop = parts.refusalOf(checkClientConfig.body!.decode(body).subscriptionData)
      return stop === undefined ? ok({}) : refuse(stop.code, stop.remark)
    }),
    ...connectionRoutes(parts),
  ]
}

const notifies = ({ groups }: ClientRouteParts, group: string): boolean =>
  groups.find(group)?.notifyConsumerIdsChangedEnable ?? true

function beat(parts: ClientRouteParts, call: Call, watch: (connection: Connection) => void) {
  const data = heartBeat.body!.decode(call.body)
  if (data.clientID === '') return refuse(ResponseCode.systemError, 'the heartbeat names no clientID')
  if (!ensureRetryTopics(parts, data.consumerDataSet)) return registered(parts, data, { call, watch })
  // As in RocketMQ 4.9 the answer waits for the name servers, the members do not.
  const reply = registered(parts, data, { call, watch })
  return parts.announced().then(() => reply)
}

/** True when one was made. */
function ensureRetryTopics({ groups, topics }: ClientRouteParts, consumers: readonly ConsumerData[]): boolean {
  let made = false
  for (const { groupName, unitMode } of consumers) {
    const group = groups.findOrCreate(groupName)
    const topic = `${retryPrefix}${groupName}`
    if (group === undefined || group.retryQueueNums <= 0 || topics.find(topic) !== undefined) continue
    topics.ensure(topic, group.retryQueueNums, `retries of ${groupName}`, unitMode ? unitSub : 0)
    made = true
  }
  return made
}

function registered(
  parts: ClientRouteParts,
  data: BodyOf<typeof heartBeat>,
  { call, watch }: { call: Call; watch: (connection: Connection) => void },
) {
  const { command, connection } = call
  if (!connection.open) return ok({})
  watch(connection)
  const client = { clientId: data.clientID, connection, language: command.language, version: command.version }
  const { heartbeatFingerprint: fingerprint = 0, withoutSub = false } = data
  // Only who beats in the short way looks at it: it says all of it again.
  let isSubChange = fingerprint === 0
  for (const consumer of data.consumerDataSet) {
    const group = parts.groups.find(consumer.groupName)
    if (group === undefined && parts.dialect.heartbeatSkipsUnknownGroups) continue
    if (!parts.consumers.hasRoom(consumer, client)) return tooMuch(consumer.groupName)
    if (withoutSub) {
      if (
        !parts.consumers.beatShortly(consumer, client, { fingerprint, notifies: notifies(parts, consumer.groupName) })
      )
        isSubChange = true
      continue
    }
    for (const subscription of consumer.subscriptionDataSet) parts.subscribed(consumer.groupName, subscription)
    parts.consumers.register(consumer, { ...client, fingerprint }, notifies(parts, consumer.groupName))
  }
  for (const { groupName } of data.producerDataSet) {
    if (!parts.producers.hasRoom(groupName, client)) return tooMuch(groupName)
    parts.producers.register(groupName, client)
  }
  return ok(parts.dialect.heartbeatV2 ? { isSupportHeartBeatV2: true, isSubChange } : {})
}

const tooMuch = (group: string) => {
  const remark = 'this connection is a member of so many groups, or subscribes to so much, that there is no room for'
  return refuse(ResponseCode.systemBusy, `${remark} ${group.slice(0, maxGroupLength)}`)
}

/** Bit of topicSysFlag: consumed by a unit (remoting.md 14.3). */
const unitSub = 2
