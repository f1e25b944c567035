import { PullSysFlag, pullMessage, ResponseCode } from '@skua-mq/protocol'
import { masterNamed } from '../cluster.ts'
import { AdminError } from '../error.ts'
import { newest, offsetAt, queueEnd } from '../offset.ts'
import type { AdminSession } from '../session.ts'
import { topicRoute } from '../topic/route.ts'
import { type FoundMessage, readMessages } from './message.ts'

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
  /** Commits nothing, but is asked for by name. Default TOOLS_CONSUMER. */
  readonly group?: string | undefined
}

const codes = [ResponseCode.pullNotFound, ResponseCode.pullRetryImmediately, ResponseCode.pullOffsetMoved]
const batch = 32

/** All queues of a topic that can be read, by broker and id. Errors: NOT_FOUND. */
export async function readQueues(session: AdminSession, topic: string): Promise<NamedQueue[]> {
  const { queues } = await topicRoute(session, topic)
  return queues.flatMap(({ brokerName, readQueueNums }) =>
    Array.from({ length: readQueueNums }, (_, queueId) => ({ topic, brokerName, queueId })),
  )
}

/** Messages of a queue in their order, as long as there are some; what comes meanwhile is left out. Nothing is committed. */
export async function* readQueue(
  session: AdminSession,
  queue: NamedQueue,
  range: ReadRange = {},
): AsyncGenerator<FoundMessage, void, void> {
  const { address } = await masterNamed(session, queue.brokerName)
  const at = { address, topic: queue.topic, queueId: queue.queueId }
  const { beginMs, endMs } = range
  const end = await (endMs === undefined ? queueEnd(session, at, 'max') : endOf(session, at, endMs))
  const first = await (beginMs === undefined ? queueEnd(session, at, 'min') : offsetAt(session, at, beginMs))
  let next = Math.max(range.from ?? 0, first)
  while (next < end) {
    const { messages, nextBeginOffset } = await pull(session, { address, queue, offset: next, range })
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
  const { messages, minOffset, maxOffset } = await pull(session, { address, queue, offset, range: {}, count: 1 })
  const [found] = messages
  if (found !== undefined && found.queueOffset === offset) return found
  const bounds = maxOffset === 0 ? 'is empty' : `holds ${minOffset} to ${maxOffset - 1}`
  const what = `queue ${queue.queueId} of ${queue.topic} at ${queue.brokerName}`
  throw new AdminError('NOT_FOUND', `no message at offset ${offset}: ${what} ${bounds}`, { address })
}

interface Pull {
  readonly address: string
  readonly queue: NamedQueue
  readonly offset: number
  readonly range: ReadRange
  readonly count?: number
}

async function pull(session: AdminSession, { address, queue, offset, range, count = batch }: Pull) {
  const header = {
    consumerGroup: range.group ?? toolsGroup,
    topic: queue.topic,
    queueId: queue.queueId,
    queueOffset: offset,
    maxMsgNums: count,
    sysFlag: PullSysFlag.subscription,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: range.tags ?? '*',
    subVersion: session.runtime.clock.now(),
    expressionType: 'TAG',
    bname: queue.brokerName,
  }
  const reply = await session.ask(address, { spec: pullMessage, header, allow: codes })
  const { nextBeginOffset, minOffset, maxOffset } = reply.header
  const { messages } = readMessages(reply.code === 0 ? reply.body : undefined, queue.brokerName)
  return { messages, nextBeginOffset, minOffset, maxOffset }
}
