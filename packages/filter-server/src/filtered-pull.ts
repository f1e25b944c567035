import {
  ExpressionType,
  type HeaderOf,
  PullSysFlag,
  pullMessage,
  type ReplyHeaderOf,
  ResponseCode,
} from '@skua-mq/protocol'
import { answer, type RemotingClient, type Reply, refuse } from '@skua-mq/remoting'
import type { Filter } from './filter.ts'
import { FilterFailed } from './filter-limits.ts'
import type { Filters } from './filters.ts'

/** The group as which filter servers pull; known to every broker. */
export const filterServerGroup = 'FILTERSRV_CONSUMER'

/** The broker is asked to answer this much before the consumer gives up. */
const shorterHoldMs = 1000
/** What a pull may take beside its hold. */
const patienceMs = 10_000

type PullHeader = HeaderOf<typeof pullMessage>
type PullReply = Reply<ReplyHeaderOf<typeof pullMessage>>

export interface FilteredPullParts {
  readonly client: Pick<RemotingClient, 'request'>
  readonly brokerAddr: string
  readonly filters: Filters
}

/** A consumer's pull (remoting.md 10.1): the same pull at the broker, and of what comes only that which the filter lets pass. */
export async function filteredPull(header: PullHeader, parts: FilteredPullParts): Promise<PullReply> {
  const { consumerGroup, topic } = header
  const filter = parts.filters.find(consumerGroup, topic)
  if (filter === undefined) {
    return refuse(
      ResponseCode.systemError,
      parts.filters.refusalOf(consumerGroup, topic) ??
        `no filter of ${consumerGroup} for ${topic} is registered here: consumers bring it beside their heartbeats (302)`,
    )
  }
  filter.used()
  const suspend = (header.sysFlag & PullSysFlag.suspend) !== 0
  const holdMs = suspend ? Math.max(0, header.suspendTimeoutMillis - shorterHoldMs) : 0
  const pull = {
    consumerGroup: filterServerGroup,
    topic,
    queueId: header.queueId,
    queueOffset: header.queueOffset,
    maxMsgNums: header.maxMsgNums,
    sysFlag: PullSysFlag.subscription | (suspend ? PullSysFlag.suspend : 0),
    commitOffset: 0,
    suspendTimeoutMillis: holdMs,
    subscription: '*',
    subVersion: 0,
    expressionType: ExpressionType.tag,
  }
  try {
    const reply = await parts.client.request(parts.brokerAddr, pullMessage, pull, { timeoutMs: holdMs + patienceMs })
    return await filtered(reply, filter)
  } catch (error) {
    const what =
      error instanceof FilterFailed ? `the filter ${filter.className} failed` : 'the pull at the broker failed'
    return refuse(ResponseCode.systemError, `${what}: ${(error as Error).message}`)
  }
}

const plainCodes: readonly number[] = [
  ResponseCode.pullNotFound,
  ResponseCode.pullRetryImmediately,
  ResponseCode.pullOffsetMoved,
]

async function filtered(reply: Awaited<ReturnType<RemotingClient['request']>>, filter: Filter): Promise<PullReply> {
  if (reply.code !== ResponseCode.success && !plainCodes.includes(reply.code))
    return refuse(ResponseCode.systemError, `the broker answered ${reply.code}: ${reply.remark ?? ''}`)
  const { nextBeginOffset, minOffset, maxOffset } = reply.header as unknown as ReplyHeaderOf<typeof pullMessage>
  const header = { suggestWhichBrokerId: 0, nextBeginOffset, minOffset, maxOffset }
  if (reply.code !== ResponseCode.success) return answer(reply.code as ResponseCode, header, reply.remark)
  const records = reply.body ?? new Uint8Array(0)
  const { ranges, nextQueueOffset } = await filter.pass(records)
  const reached = { ...header, nextBeginOffset: nextQueueOffset ?? nextBeginOffset }
  if (ranges.length === 0) return answer(ResponseCode.pullRetryImmediately, reached, 'NO_MATCHED_MESSAGE')
  const body = Buffer.concat(ranges.map(({ start, end }) => records.subarray(start, end)))
  return { code: ResponseCode.success, header: reached, body, remark: 'FOUND' }
}
