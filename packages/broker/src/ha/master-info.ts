import { getBrokerRuntimeInfo, ResponseCode } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'

/** What a broker says of its log and of its role. */
export interface BrokerInfo {
  readonly minOffset: number
  readonly maxOffset: number
  /** When the last slave that became a master did, as far as it knows (role-book.ts); 0 where it is not told, as by Java's brokers. */
  readonly epoch: number
  /** brokerRole; undefined where it is not told. */
  readonly role: string | undefined
  /** It is taking the log of its master, and lacks some of it. */
  readonly isCopying: boolean
  /** Of a slave: a master that lives, to which it is connected. */
  readonly follows: string | undefined
}

/** Keys of the runtime information (28) that are Skua's own. */
export const roleKeys = {
  role: 'skuaRole',
  epoch: 'skuaRoleEpoch',
  copying: 'skuaCopying',
  follows: 'skuaFollows',
  election: 'skuaElection',
} as const

const timeoutMs = 2000

/** What is no time counts for none: a master steps down for a later one. */
function epochOf(text: string | undefined): number {
  const epoch = Number(text ?? 0)
  return Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0
}

/** Asks a broker of either kind. Throws where it does not answer, or not so. */
export async function askBroker(client: Pick<RemotingClient, 'request'>, address: string): Promise<BrokerInfo> {
  const { code, remark, body } = await client.request(address, getBrokerRuntimeInfo, {}, { timeoutMs })
  if (code !== ResponseCode.success || body === undefined)
    throw new Error(`${address} answers 28 with code ${code}: ${remark ?? ''}`)
  const { table } = getBrokerRuntimeInfo.replyBody!.decode(body)
  const number = (key: string) => Number(table.get(key) ?? Number.NaN)
  const [minOffset, maxOffset] = [number('commitLogMinOffset'), number('commitLogMaxOffset')]
  if (!Number.isSafeInteger(minOffset) || !Number.isSafeInteger(maxOffset))
    throw new Error(`${address} does not say where its log begins and ends`)
  return {
    minOffset: Math.max(0, minOffset),
    maxOffset,
    epoch: epochOf(table.get(roleKeys.epoch)),
    role: table.get(roleKeys.role),
    isCopying: table.has(roleKeys.copying),
    follows: table.get(roleKeys.follows),
  }
}
