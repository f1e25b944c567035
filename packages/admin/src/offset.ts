import {
  cloneGroupOffset,
  getConsumeStats,
  getEarliestMsgStoretime,
  getMaxOffset,
  getMinOffset,
  getTopicStatsInfo,
  invokeBrokerToResetOffset,
  type MessageQueue,
  queryConsumerOffset,
  ResponseCode,
  searchOffsetByTimestamp,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { each } from './each.ts'
import { compareQueues } from './queue-progress.ts'
import type { AdminSession } from './session.ts'
import { brokersOf, brokersOfGroup, topicRoute } from './topic/route.ts'

/** As a time: the end of each queue. */
export const newest = -1

/** A queue, by the address of its broker. */
export interface QueueAt {
  readonly address: string
  readonly topic: string
  readonly queueId: number
}

const ends = { min: getMinOffset, max: getMaxOffset } as const

/** The first offset of a queue, or the one that the next message will get. */
export async function queueEnd(session: AdminSession, queue: QueueAt, end: 'min' | 'max'): Promise<number> {
  const { address, topic, queueId } = queue
  return (await session.ask(address, { spec: ends[end], header: { topic, queueId } })).header.offset
}

/** The first message stored at this time or later, ms since 1970; `newest` is the end. */
export async function offsetAt(session: AdminSession, queue: QueueAt, timestampMs: number): Promise<number> {
  if (timestampMs === newest) return queueEnd(session, queue, 'max')
  const { address, topic, queueId } = queue
  const header = { topic, queueId, timestamp: timestampMs }
  return (await session.ask(address, { spec: searchOffsetByTimestamp, header })).header.offset
}

/** ms since 1970; -1 for an empty queue. */
export async function earliestMessageMs(session: AdminSession, queue: QueueAt): Promise<number> {
  const { address, topic, queueId } = queue
  return (await session.ask(address, { spec: getEarliestMsgStoretime, header: { topic, queueId } })).header.timestamp
}

/** Where a group stands in a queue; undefined when the broker does not know. */
export async function groupOffset(session: AdminSession, queue: QueueAt, group: string): Promise<number | undefined> {
  const { address, topic, queueId } = queue
  const header = { consumerGroup: group, topic, queueId }
  const reply = await session.ask(address, { spec: queryConsumerOffset, header, allow: [ResponseCode.queryNotFound] })
  return reply.code === 0 ? reply.header.offset : undefined
}

/** Commits an offset for a group. Members that run go on where they are and commit over it: see `resetOffsets`. */
export async function commitOffset(
  session: AdminSession,
  queue: QueueAt,
  { group, offset }: { readonly group: string; readonly offset: number },
): Promise<void> {
  const { address, topic, queueId } = queue
  const header = { consumerGroup: group, topic, queueId, commitOffset: offset }
  await session.write(address, { spec: updateConsumerOffset, header })
}

/** What a reset is to do. */
export interface ResetOffsets {
  readonly group: string
  readonly topic: string
  /** ms since 1970, or `newest`. */
  readonly timestampMs: number
  /** Also forward. Default true; false only goes back. */
  readonly force?: boolean | undefined
}

/** What became of a queue. */
export interface QueueReset {
  readonly brokerName: string
  readonly queueId: number
  /** The offset that the next message will get; undefined by a broker. */
  readonly brokerOffset?: number
  /** Where the group stood; undefined by a broker. */
  readonly consumerOffset?: number
  /** What the time stands for. */
  readonly timestampOffset?: number
  /** Where the group goes on. */
  readonly offset: number
}

/** What a reset did. */
export interface ResetResult {
  /** broker: brokers have members go there, now or with their next pull. commit: nobody was online, so offsets were committed. */
  readonly by: 'broker' | 'commit'
  readonly queues: readonly QueueReset[]
}

/**
 * Has a group go on at another place, through its brokers; where they refuse since nobody is online (4.9), offsets
 * are committed, as Apache's tools do. A dry run shows what would be committed. Errors: NOT_FOUND; REFUSED.
 */
export async function resetOffsets(session: AdminSession, reset: ResetOffsets): Promise<ResetResult> {
  if (session.dryRun) return commitResets(session, reset)
  const brokers = brokersOf(await topicRoute(session, reset.topic))
  const { group, topic, timestampMs, force = true } = reset
  const header = { group, topic, timestamp: timestampMs, isForce: force }
  const queues: QueueReset[] = []
  for (const { address } of brokers) {
    const allow = [ResponseCode.consumerNotOnline]
    const reply = await session.ask(address, {
      spec: invokeBrokerToResetOffset,
      header,
      allow,
      timeoutMs: 3 * session.timeoutMs,
    })
    if (reply.code !== 0) return commitResets(session, reset)
    const { offsetTable } = invokeBrokerToResetOffset.replyBody!.decode(reply.body ?? Buffer.from('{}'))
    for (const [{ brokerName, queueId }, offset] of offsetTable) queues.push({ brokerName, queueId, offset })
  }
  return { by: 'broker', queues: sorted(queues) }
}

/** Commits the offsets, whoever is online: what Apache calls the old way. Only for groups that do not run. */
export async function commitResets(session: AdminSession, reset: ResetOffsets): Promise<ResetResult> {
  const { group, topic, timestampMs, force = true } = reset
  const brokers = brokersOf(await topicRoute(session, topic))
  const done = await each(brokers, async ({ address, brokerName }) => {
    const rows: QueueReset[] = []
    for (const { queueId, ...stood } of await placesOf(session, { address, group, topic })) {
      const queue = { address, topic, queueId }
      const timestampOffset = await offsetAt(session, queue, timestampMs)
      const goes = force || timestampOffset <= stood.consumerOffset
      if (goes) await commitOffset(session, queue, { group, offset: timestampOffset })
      const offset = goes ? timestampOffset : stood.consumerOffset
      rows.push({ brokerName, queueId, ...stood, timestampOffset, offset })
    }
    return rows
  })
  return { by: 'commit', queues: sorted(done.flat()) }
}

/** Where a group stands in each queue of a topic at one broker; at their beginnings where it never consumed. */
async function placesOf(
  session: AdminSession,
  { address, group, topic }: { readonly address: string; readonly group: string; readonly topic: string },
): Promise<{ queueId: number; brokerOffset: number; consumerOffset: number }[]> {
  const header = { consumerGroup: group, topic }
  const { offsetTable } = await session.read(address, { spec: getConsumeStats, header })
  const places = [...offsetTable].filter(([queue]) => queue.topic === topic)
  if (places.length > 0)
    return places.map(([{ queueId }, { brokerOffset, consumerOffset }]) => ({ queueId, brokerOffset, consumerOffset }))
  const stats = await session.read(address, { spec: getTopicStatsInfo, header: { topic } })
  return [...stats.offsetTable].map(([{ queueId }, { minOffset, maxOffset }]) => {
    return { queueId, brokerOffset: maxOffset, consumerOffset: minOffset }
  })
}

const sorted = (queues: QueueReset[]): QueueReset[] =>
  queues.sort((a, b) => compareQueues({ topic: '', ...a } as MessageQueue, { topic: '', ...b } as MessageQueue))

/** What `cloneOffsets` takes. */
export interface CloneOffsets {
  readonly from: string
  readonly to: string
  /** Default: all topics of the group. */
  readonly topic?: string | undefined
  /** Do it without looking whether a group is online. Default false. */
  readonly offline?: boolean | undefined
}

/** Has one group stand where another one does. Returns the brokers that did. */
export async function cloneOffsets(session: AdminSession, { from, to, topic, offline = false }: CloneOffsets) {
  const addresses = await brokersOfGroup(session, from)
  const header = { srcGroup: from, destGroup: to, topic, offline }
  await session.writeEach(addresses, { spec: cloneGroupOffset, header, timeoutMs: 3 * session.timeoutMs })
  return addresses
}
