import {
  getAllProducerInfo,
  getConsumerConnectionList,
  getProducerConnectionList,
  ResponseCode,
  type SubscriptionData,
  versionName,
} from '@skua-mq/protocol'
import { compareText, each } from '../each.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { brokersOf, brokersOfGroup, topicRoute } from '../topic/route.ts'

/** A client as brokers see it. */
export interface ConnectedClient {
  readonly clientId: string
  readonly clientAddr: string
  readonly language: string
  /** The number that it tells, and what it stands for, e.g. V4_9_8. */
  readonly version: number
  readonly versionName: string
}

/** Who consumes for a group, and what. */
export interface GroupConnections {
  readonly group: string
  readonly clients: readonly ConnectedClient[]
  readonly subscriptions: readonly SubscriptionData[]
  readonly consumeType: string
  readonly messageModel: string
  readonly consumeFromWhere: string
}

/** Undefined when nobody of the group is connected. Members of all its brokers, each once. */
export async function findConsumers(
  session: AdminSession,
  group: string,
  brokerAddr?: string,
): Promise<GroupConnections | undefined> {
  const addresses = brokerAddr === undefined ? await brokersOfGroup(session, group) : [brokerAddr]
  const replies = await each(addresses, async address => {
    const allow = [ResponseCode.consumerNotOnline]
    const call = { spec: getConsumerConnectionList, header: { consumerGroup: group }, allow }
    const { code, body } = await session.ask(address, call)
    return code === 0 && body !== undefined ? [getConsumerConnectionList.replyBody!.decode(body)] : []
  })
  const found = replies.flat()
  const [first] = found
  if (first === undefined) return undefined
  const subscriptions = new Map(found.flatMap(({ subscriptionTable }) => [...subscriptionTable]))
  return {
    group,
    clients: clientsOf(found.flatMap(({ connectionSet }) => connectionSet)),
    subscriptions: [...subscriptions.values()].sort((a, b) => compareText(a.topic, b.topic)),
    consumeType: first.consumeType ?? '',
    messageModel: first.messageModel ?? '',
    consumeFromWhere: first.consumeFromWhere ?? '',
  }
}

/** As `findConsumers`. Errors: NOT_FOUND when nobody is connected. */
export async function consumerConnections(
  session: AdminSession,
  group: string,
  brokerAddr?: string,
): Promise<GroupConnections> {
  const found = await findConsumers(session, group, brokerAddr)
  if (found !== undefined) return found
  const at = brokerAddr === undefined ? '' : ` at ${brokerAddr}`
  throw new AdminError(
    'NOT_FOUND',
    `no consumer of group ${group} is connected${at}: check its name, and that one runs`,
  )
}

/** Who produces for a group, as the brokers of a topic see it. Errors: NOT_FOUND when nobody does. */
export async function producerConnections(
  session: AdminSession,
  { group, topic }: { readonly group: string; readonly topic: string },
): Promise<ConnectedClient[]> {
  const brokers = brokersOf(await topicRoute(session, topic))
  const replies = await each(brokers, async ({ address }) => {
    const allow = [ResponseCode.systemError]
    const call = { spec: getProducerConnectionList, header: { producerGroup: group }, allow }
    const { code, body } = await session.ask(address, call)
    return code === 0 && body !== undefined ? getProducerConnectionList.replyBody!.decode(body).connectionSet : []
  })
  const clients = clientsOf(replies.flat())
  if (clients.length > 0) return clients
  throw new AdminError(
    'NOT_FOUND',
    `no producer of group ${group} is connected to the brokers of ${topic}: check its name, and that one runs`,
  )
}

/** A producer as one broker sees it. */
export interface ProducerAt extends ConnectedClient {
  readonly group: string
  /** Of its last heartbeat, ms since 1970. */
  readonly lastUpdateMs: number
}

/** Every producer that is connected to a broker, by group and client id. */
export async function producers(session: AdminSession, address: string): Promise<ProducerAt[]> {
  const { data } = await session.read(address, { spec: getAllProducerInfo })
  const found = [...data].flatMap(([group, members]) =>
    members.map(({ clientId, remoteIP, language, version, lastUpdateTimestamp }) => ({
      group,
      ...clientOf({ clientId, clientAddr: remoteIP.replace(/^.*\//, ''), language, version }),
      lastUpdateMs: lastUpdateTimestamp,
    })),
  )
  return found.sort((a, b) => compareText(a.group, b.group) || compareText(a.clientId, b.clientId))
}

interface Told {
  readonly clientId: string
  readonly clientAddr: string
  readonly language?: string | undefined
  readonly version: number
}

const clientOf = ({ clientId, clientAddr, language, version }: Told): ConnectedClient => {
  return { clientId, clientAddr, language: language ?? '', version, versionName: versionName(version) ?? `${version}` }
}

/** Each client once, though it has a connection to each broker. */
function clientsOf(all: readonly Told[]): ConnectedClient[] {
  const clients = new Map(all.map(client => [client.clientId, clientOf(client)]))
  return [...clients.values()].sort((a, b) => compareText(a.clientId, b.clientId))
}
