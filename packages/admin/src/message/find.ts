import { javaLongMax, parseOffsetMessageId, queryMessage, ResponseCode, viewMessageById } from '@skua-mq/protocol'
import { clusterBrokers } from '../cluster.ts'
import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { brokersOf, topicRoute } from '../topic/route.ts'
import { type FoundMessage, readMessages } from './message.ts'

/**
 * The message that an offset id names; undefined when its broker has none there. The id says which broker to ask, so
 * only brokers that the name server knows are asked. Errors: ARGUMENT for a text of another form; NOT_FOUND.
 */
export async function messageById(session: AdminSession, offsetMsgId: string): Promise<FoundMessage | undefined> {
  if (!/^([0-9a-fA-F]{32}|[0-9a-fA-F]{56})$/.test(offsetMsgId))
    throw new AdminError('ARGUMENT', `"${offsetMsgId}" is no id of a message: 32 or 56 hexadecimal digits are wanted`)
  const place = parseOffsetMessageId(offsetMsgId)
  const hint = 'a unique id of the sender is looked for with its topic (queryMsgByUniqueKey)'
  if (place === undefined) throw new AdminError('NOT_FOUND', `${offsetMsgId} names no place in a log: ${hint}`)
  const host = place.address.includes(':') ? `[${place.address}]` : place.address
  const address = `${host}:${place.port}`
  const broker = (await clusterBrokers(session)).find(known => known.address === address)
  if (broker === undefined)
    throw new AdminError('NOT_FOUND', `the id names the broker ${address}, which is not registered: ${hint}`, {
      address,
    })
  const allow = [ResponseCode.systemError, ResponseCode.queryNotFound]
  const call = { spec: viewMessageById, header: { offset: place.physicalOffset }, allow }
  const { code, body } = await session.ask(address, call)
  return code === 0 ? readMessages(body, broker.brokerName).messages[0] : undefined
}

/** What a search takes. */
export interface KeyQuery {
  readonly topic: string
  readonly key: string
  /** Of each broker. Default 64. */
  readonly maxNum?: number | undefined
  /** Stored between these times, ms since 1970. Default: all. */
  readonly beginMs?: number | undefined
  readonly endMs?: number | undefined
  /** The key is a unique id. Default false. */
  readonly uniqueKey?: boolean | undefined
}

/** Messages with this key, oldest first, of all brokers of the topic. Errors: NOT_FOUND for the topic. */
export async function messagesByKey(session: AdminSession, query: KeyQuery): Promise<FoundMessage[]> {
  const { topic, key, maxNum = 64, beginMs = 0, endMs = javaLongMax, uniqueKey = false } = query
  const header = { topic, key, maxNum, beginTimestamp: beginMs, endTimestamp: endMs, uniqueKeyQuery: uniqueKey }
  const timeoutMs = 3 * session.timeoutMs
  const call = { spec: queryMessage, header, timeoutMs, allow: [ResponseCode.queryNotFound] }
  const answers = await each(brokersOf(await topicRoute(session, topic)), async ({ address, brokerName }) => {
    const { code, body } = await session.ask(address, call)
    return code === 0 ? readMessages(body, brokerName).messages : []
  })
  // The index holds hashes only, so others may be among them.
  const exact = answers.flat().filter(({ msgId, keys }) => (uniqueKey ? msgId === key : keys.includes(key)))
  return exact.sort((a, b) => a.storedAtMs - b.storedAtMs)
}
