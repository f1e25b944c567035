import { PullSysFlag, pullMessage, ResponseCode } from '@skua-mq/protocol'
import { masterNamed } from '../cluster.ts'
import { AdminError } from '../error.ts'
import { newest, offsetAt, queueEnd } from '../offset.ts'
import type { AdminSession } from '../session.ts'
import { topicRoute } from '../topic/route.ts'
import { type FoundMessage, readMessages } from './message.ts'
import { mostAtOnce, PullPace } from './pull-pace.ts'

/** Apache's group of tools, which every broker knows: nothing is committed for it. */
const toolsGroup = 'TOOLS_CONSUMER'

/** A queue, by the name of its broker. */
export interface NamedQueue {
  readonly topic: string
  readonly brokerName: string
  readonly queueId: number
}

/** Which messages of a queue are read. */
export interface ReadRange {
  /** First queue offset. Default: the queue's first, or by `beginMs`. */
  readonly from?: number | undefined
  /** Stored between these times, ms since 1970. Default: all. */
  readonly beginMs?: number | undefined
  readonly endMs?: number | undefined
  /** Tags, `A || B`. Default: all. */
  readonly tags?: string | undefined
  /** An SQL92 filter in place of tags; brokers take it with enablePropertyFilter. */
  readonly sql?: string | undefined
  /** Commits nothing, but is asked for by name. Default TOOLS_CONSUMER. */
  readonly group?: string | undefined
}

const codes = [ResponseCode.pullNotFound, ResponseCode.pullRetryImmediately, ResponseCode.pullOffsetMoved]

/** All queues of a topic that can be read, by broker and id. Errors: NOT_FOUND. */
export async function readQueues(session: AdminSession, topic: string): Promise<NamedQueue[]> {
  const { queues } = await topicRoute(session, topic)
  return queues.flatMap(({ brokerName, readQueueNums }) =>
    Array.from({ length: readQueueNums }, (_, queueId) => ({ topic, brokerName, queueId })),
  )
}

/** Where a range of a queue lies. */
export interface QueueRange {
  /** Of the broker that has the queue. */
  readonly address: string
  /** First queue offset, and the one behind the last. */
  readonly from: number
  readonly end: number
}

/** Looks up where a range begins and ends. Errors: NOT_FOUND for a broker that has no master. */
export async function queueRange(
  session: AdminSession,
  queue: NamedQueue,
  { from = 0, beginMs, endMs }: Pick<ReadRange, 'from' | 'beginMs' | 'endMs'>,
): Promise<QueueRange> {
  const { address } = await masterNamed(session, queue.brokerName)
  const at = { address, topic: queue.topic, queueId: queue.queueId }
  const end = await (endMs === undefined ? queueEnd(session, at, 'max') : endOf(session, at, endMs))
  const first = await (beginMs === undefined ? queueEnd(session, at, 'min') : offsetAt(session, at, beginMs))
  return { address, from: Math.max(from, first), end }
}

/**
 * Messages of a queue in their order, as long as there are some; what comes meanwhile is left out. Nothing is committed. Of large messages
 * fewer are asked for at once: what is held is about `PullPace.pieceBytes`, or one message.
 */
export async function* readQueue(
  session: AdminSession,
  queue: NamedQueue,
  range: ReadRange = {},
): AsyncGenerator<FoundMessage, void, void> {
  const { address, from, end } = await queueRange(session, queue, range)
  const pace = new PullPace()
  let next = from
  while (next < end) {
    const { messages, nextBeginOffset } = await pullAtPace(session, { address, queue, range, offset: next }, pace)
    for (const message of messages) if (message.queueOffset < end) yield message
    if (nextBeginOffset <= next) return
    next = nextBeginOffset
  }
}

/** Behind the last message of this time: offsets are looked for by the first one that is not older. */
const endOf = (session: AdminSession, at: { address: string; topic: string; queueId: number }, endMs: number) =>
  offsetAt(session, at, endMs === newest ? endMs : endMs + 1)

/** The message at an offset. Errors: NOT_FOUND, with the bounds of the queue. */
export async function messageAt(session: AdminSession, queue: NamedQueue, offset: number): Promise<FoundMessage> {
  const { address } = await masterNamed(session, queue.brokerName)
  const { messages, minOffset, maxOffset } = await pullMessages(session, { address, queue, offset, count: 1 })
  const [found] = messages
  if (found !== undefined && found.queueOffset === offset) return found
  const bounds = maxOffset === 0 ? 'is empty' : `holds ${minOffset} to ${maxOffset - 1}`
  const what = `queue ${queue.queueId} of ${queue.topic} at ${queue.brokerName}`
  throw new AdminError('NOT_FOUND', `no message at offset ${offset}: ${what} ${bounds}`, { address })
}

/** One question to a broker. */
export interface PullMessages {
  /** Of the broker that has the queue. */
  readonly address: string
  readonly queue: NamedQueue
  readonly offset: number
  readonly range?: Pick<ReadRange, 'tags' | 'sql' | 'group'> | undefined
  /** Default 32, which is the most that brokers give. */
  readonly count?: number | undefined
}

/** What a broker gave. */
export interface PulledMessages {
  readonly messages: readonly FoundMessage[]
  /** Messages that could not be read: their compression is unknown here. */
  readonly unreadable: number
  /** Where to go on; the same offset at the end of the queue. */
  readonly nextBeginOffset: number
  readonly minOffset: number
  readonly maxOffset: number
}

/** Messages from an offset on, as many as a broker gives at once. Nothing is committed, and nobody waits for what comes. */
export async function pullMessages(
  session: AdminSession,
  { address, queue, offset, range = {}, count = mostAtOnce }: PullMessages,
): Promise<PulledMessages> {
  const header = {
    consumerGroup: range.group ?? toolsGroup,
    topic: queue.topic,
    queueId: queue.queueId,
    queueOffset: offset,
    maxMsgNums: count,
    sysFlag: PullSysFlag.subscription,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: range.sql ?? range.tags ?? '*',
    subVersion: session.runtime.clock.now(),
    expressionType: range.sql === undefined ? 'TAG' : 'SQL92',
    bname: queue.brokerName,
  }
  const reply = await session.ask(address, { spec: pullMessage, header, allow: codes })
  const { nextBeginOffset, minOffset, maxOffset } = reply.header
  const { messages, unreadable } = readMessages(reply.code === 0 ? reply.body : undefined, queue.brokerName)
  return { messages, unreadable, nextBeginOffset, minOffset, maxOffset }
}

/**
 * As `pullMessages`, so many as the pace says, and at most `most`. A broker that cuts its answers later than others may give more than a
 * frame may have, and the connection is closed then: one message alone is asked for once more.
 */
export async function pullAtPace(
  session: AdminSession,
  { most = mostAtOnce, ...at }: Omit<PullMessages, 'count'> & { readonly most?: number | undefined },
  pace: PullPace,
): Promise<PulledMessages> {
  const count = Math.min(most, pace.count)
  const pull = async (): Promise<PulledMessages> => {
    try {
      return await pullMessages(session, { ...at, count })
    } catch (error) {
      if (!(error instanceof AdminError) || error.code !== 'NETWORK' || count === 1) throw error
      pace.failed()
      return pullMessages(session, { ...at, count: 1 })
    }
  }
  const pulled = await pull()
  pace.saw(pulled.messages)
  return pulled
}
