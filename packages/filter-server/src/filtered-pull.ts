import {
  ExpressionType,
  type HeaderOf,
  PullSysFlag,
  pullMessage,
  type ReplyHeaderOf,
  ResponseCode,
  readRecord,
} from '@skua-mq/protocol'
import { answer, type RemotingClient, type Reply, refuse } from '@skua-mq/remoting'
import { FilterFailed } from './filter-script.ts'
import { filteredMessage } from './filtered-message.ts'
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
      `no filter of ${consumerGroup} for ${topic} is registered here: consumers bring it beside their heartbeats (302)`,
    )
  }
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
    return filtered(reply, message => filter.matches(message))
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

function filtered(
  reply: Awaited<ReturnType<RemotingClient['request']>>,
  matches: (message: ReturnType<typeof filteredMessage>) => boolean,
): PullReply {
  if (reply.code !== ResponseCode.success && !plainCodes.includes(reply.code))
    return refuse(ResponseCode.systemError, `the broker answered ${reply.code}: ${reply.remark ?? ''}`)
  const { nextBeginOffset, minOffset, maxOffset } = reply.header as unknown as ReplyHeaderOf<typeof pullMessage>
  const header = { suggestWhichBrokerId: 0, nextBeginOffset, minOffset, maxOffset }
  if (reply.code !== ResponseCode.success) return answer(reply.code as ResponseCode, header, reply.remark)
  const passed = passing(reply.body ?? new Uint8Array(0), matches)
  if (passed.length === 0) return answer(ResponseCode.pullRetryImmediately, header, 'NO_MATCHED_MESSAGE')
  return { code: ResponseCode.success, header, body: Buffer.concat(passed), remark: 'FOUND' }
}

/** The stored bytes of each message that passes. */
function passing(bytes: Uint8Array, matches: (message: ReturnType<typeof filteredMessage>) => boolean): Uint8Array[] {
  const passed: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const record = readRecord(bytes, at)
    if (record === undefined) throw new Error(`the broker sent ${bytes.length - at} bytes that are no message`)
    if (matches(filteredMessage(record.message))) passed.push(bytes.subarray(at, record.next))
    at = record.next
  }
  return passed
}
