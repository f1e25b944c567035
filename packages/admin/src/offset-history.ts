import { getOffsetHistory, invokeBrokerToResetOffset, type RecordedOffsetMove, ResponseCode } from '@skua-mq/protocol'
import { mastersAt } from './cluster.ts'
import { compareText, each } from './each.ts'
import { AdminError } from './error.ts'
import type { QueueAt } from './offset.ts'
import type { AdminSession } from './session.ts'

/** A move of an offset, and the broker that recorded it. */
export interface OffsetMove extends RecordedOffsetMove {
  readonly address: string
}

/** Moves of a group's offsets, oldest first. */
export interface OffsetHistory {
  readonly moves: readonly OffsetMove[]
  /** Brokers that keep no history: Apache's, or older ones. */
  readonly without: readonly string[]
}

/** Which moves. */
export interface OffsetHistoryQuery {
  readonly group: string
  /** Default: all topics. */
  readonly topic?: string | undefined
  /** The last so many of each broker. Default 1000. */
  readonly limit?: number | undefined
}

/** Who moved a group's offsets, of all masters: resets, commits of tools and backwards, clones, deletions. Errors: REFUSED where no broker keeps it. */
export async function offsetHistory(
  session: AdminSession,
  { group, topic, limit = 1000 }: OffsetHistoryQuery,
): Promise<OffsetHistory> {
  const addresses = await mastersAt(session)
  const header = { consumerGroup: group, topic, limit }
  const answers = await each(addresses, async address => {
    const call = { spec: getOffsetHistory, header, allow: [ResponseCode.requestCodeNotSupported] }
    const { code, body } = await session.ask(address, call)
    if (code !== 0) return { address, moves: undefined }
    const { moves } = getOffsetHistory.replyBody!.decode(body ?? Buffer.from('{}'))
    return { address, moves: moves.map(move => ({ address, ...move })) }
  })
  const without = answers.filter(({ moves }) => moves === undefined).map(({ address }) => address)
  if (without.length === addresses.length)
    throw new AdminError(
      'REFUSED',
      `no broker keeps a history of offsets (${without.join(', ')}): only Skua's do, from this version on; Apache's know nothing of it`,
      { request: getOffsetHistory.name, responseCode: ResponseCode.requestCodeNotSupported },
    )
  const moves = answers.flatMap(answer => answer.moves ?? [])
  return { moves: moves.sort((a, b) => a.atMs - b.atMs || compareText(a.address, b.address)), without }
}

/** Has a group go on at an offset of one queue, members that run as well: brokers that reset by themselves (Skua's, 5.x) tell them. */
export async function resetQueue(
  session: AdminSession,
  { address, topic, queueId }: QueueAt,
  { group, offset }: { readonly group: string; readonly offset: number },
): Promise<void> {
  const header = { group, topic, timestamp: 0, isForce: true, queueId, offset }
  await session.write(address, { spec: invokeBrokerToResetOffset, header })
}
