import { getConsumeStats, queryConsumeTimeSpan } from '@skua-mq/protocol'
import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import { retryGroups } from '../group.ts'
import { compareQueues, type QueueProgress, queueProgress } from '../queue-progress.ts'
import type { AdminSession } from '../session.ts'
import { brokersOf, brokersOfGroup, topicRoute } from '../topic/route.ts'
import { consumerConnections, findConsumers } from './connection.ts'
import { consumerRunningInfo } from './running.ts'

/** Where a group stands. */
export interface GroupProgress {
  readonly group: string
  /** Messages a second, of all members. */
  readonly consumeTps: number
  /** Messages that wait, of all queues. */
  readonly diffTotal: number
  /** By topic, broker and id; the group's retries are among them. */
  readonly queues: readonly QueueProgress[]
}

/** Each queue of a group, or of one of its topics. A group that never consumed has none. */
export async function groupProgress(session: AdminSession, group: string, topic?: string): Promise<GroupProgress> {
  const addresses = await brokersOfGroup(session, group)
  const header = { consumerGroup: group, topic }
  const timeoutMs = 3 * session.timeoutMs
  const stats = await each(addresses, address => session.read(address, { spec: getConsumeStats, header, timeoutMs }))
  const queues = stats.flatMap(({ offsetTable }) => queueProgress(offsetTable)).sort(compareQueues)
  const consumeTps = stats.reduce((sum, one) => sum + one.consumeTps, 0)
  const diffTotal = queues.reduce((sum, { diff }) => sum + diff, 0)
  return { group, consumeTps, diffTotal, queues }
}

/** A line of the list of groups. */
export interface GroupSummary {
  readonly group: string
  /** Members that are connected. */
  readonly count: number
  /** Of the oldest member, e.g. V4_9_8; OFFLINE without any. */
  readonly version: string
  /** PUSH or PULL; '' for offline groups. */
  readonly type: string
  /** CLUSTERING or BROADCASTING; '' for offline groups. */
  readonly model: string
  readonly consumeTps: number
  readonly diffTotal: number
  /** Why figures are missing. */
  readonly problem?: string
}

/** All groups that have a retry topic, by name. A group that a broker tells nothing of is there with its problem. */
export async function groupSummaries(session: AdminSession): Promise<GroupSummary[]> {
  const groups = [...(await retryGroups(session))].sort()
  return each(groups, group => groupSummary(session, group))
}

async function groupSummary(session: AdminSession, group: string): Promise<GroupSummary> {
  try {
    const { consumeTps, diffTotal } = await groupProgress(session, group)
    const online = await findConsumers(session, group)
    const clients = online?.clients ?? []
    const oldest = clients.reduce((a, b) => (b.version < a.version ? b : a), clients[0]!)
    return {
      group,
      count: clients.length,
      version: online === undefined ? 'OFFLINE' : oldest.versionName,
      type: online === undefined ? '' : online.consumeType === 'CONSUME_ACTIVELY' ? 'PULL' : 'PUSH',
      model: online?.messageModel ?? '',
      consumeTps,
      diffTotal,
    }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    const none = { count: 0, version: '', type: '', model: '', consumeTps: Number.NaN, diffTotal: Number.NaN }
    return { group, ...none, problem: error.message }
  }
}

/** Which member consumes each queue, by `topic\nbroker\nqueueId`: asks every member. Errors: NOT_FOUND when nobody is there. */
export async function queueOwners(session: AdminSession, group: string): Promise<Map<string, string>> {
  const { clients } = await consumerConnections(session, group)
  const owners = new Map<string, string>()
  for (const { clientId } of clients) {
    const { queues } = await consumerRunningInfo(session, { group, clientId })
    for (const queue of queues) owners.set(ownerKey(queue), clientId)
  }
  return owners
}

/** The key of `queueOwners`. */
export const ownerKey = (queue: {
  readonly topic: string
  readonly brokerName: string
  readonly queueId: number
}): string => `${queue.topic}\n${queue.brokerName}\n${queue.queueId}`

/** Store times of the oldest and the newest message of a queue, and of what was consumed last; ms since 1970. */
export interface ConsumeSpan {
  readonly topic: string
  readonly brokerName: string
  readonly queueId: number
  readonly minMs: number
  readonly maxMs: number
  readonly consumedMs: number
  /** How far behind the group is, ms. */
  readonly delayMs: number
}

/** How far behind a group is in a topic, in time. Errors: NOT_FOUND. */
export async function consumeSpans(
  session: AdminSession,
  { group, topic }: { readonly group: string; readonly topic: string },
): Promise<ConsumeSpan[]> {
  const brokers = brokersOf(await topicRoute(session, topic))
  const tables = await each(brokers, ({ address }) =>
    session.read(address, { spec: queryConsumeTimeSpan, header: { group, topic } }),
  )
  const rows = tables.flatMap(({ consumeTimeSpanSet }) =>
    consumeTimeSpanSet.map(({ messageQueue, minTimeStamp, maxTimeStamp, consumeTimeStamp, delayTime }) => ({
      ...messageQueue,
      minMs: minTimeStamp,
      maxMs: maxTimeStamp,
      consumedMs: consumeTimeStamp,
      delayMs: delayTime,
    })),
  )
  return rows.sort(compareQueues)
}
