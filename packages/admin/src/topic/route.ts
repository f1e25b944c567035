import {
  getAllTopicListFromNameserver,
  getRouteInfoByTopic,
  getTopicsByCluster,
  ResponseCode,
  retryPrefix,
  type TopicRouteData,
} from '@skua-mq/protocol'
import { known, mastersAt } from '../cluster.ts'
import { compareText } from '../each.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'

/** Queues of a topic at one broker. */
export interface TopicQueues {
  readonly brokerName: string
  readonly readQueueNums: number
  readonly writeQueueNums: number
  /** Bits: read 4, write 2, inherit 1. */
  readonly perm: number
  readonly topicSysFlag: number
}

/** A broker that has a topic. */
export interface TopicBroker {
  readonly clusterName: string
  readonly brokerName: string
  /** Master, id 0, first. */
  readonly addresses: readonly { readonly brokerId: number; readonly address: string }[]
}

/** Where a topic is; both lists are sorted by the brokers' names. */
export interface TopicRoute {
  readonly topic: string
  readonly orderTopicConf: string | undefined
  readonly queues: readonly TopicQueues[]
  readonly brokers: readonly TopicBroker[]
}

/** Names of all topics, sorted, also those of the system, of retries (%RETRY%) and of dead letters (%DLQ%). */
export async function listTopics(session: AdminSession, clusterName?: string): Promise<string[]> {
  const { topicList } =
    clusterName === undefined
      ? await session.readNameServer({ spec: getAllTopicListFromNameserver })
      : await session.readNameServer({ spec: getTopicsByCluster, header: { cluster: clusterName } })
  return [...new Set(topicList)].sort(compareText)
}

/** Undefined for a topic that the name server does not know, or none of whose brokers is registered. */
export async function findTopicRoute(session: AdminSession, topic: string): Promise<TopicRoute | undefined> {
  const call = { spec: getRouteInfoByTopic, header: { topic }, allow: [ResponseCode.topicNotExist] }
  const reply = await session.askNameServer(call)
  if (reply.code !== 0 || reply.body === undefined) return undefined
  return routeOf(topic, getRouteInfoByTopic.replyBody!.decode(reply.body))
}

/** As `findTopicRoute`. Errors: NOT_FOUND, with the nearest name. */
export async function topicRoute(session: AdminSession, topic: string): Promise<TopicRoute> {
  const found = await findTopicRoute(session, topic)
  if (found !== undefined) return found
  const topics = await listTopics(session)
  if (topics.includes(topic))
    throw new AdminError('NOT_FOUND', `topic ${topic} has no broker at the moment: start one of its brokers`)
  const shown = topics.filter(name => !name.startsWith('%'))
  throw new AdminError('NOT_FOUND', `topic ${topic} does not exist. ${known('topics', topic, shown)}`)
}

function routeOf(topic: string, { orderTopicConf, queueDatas, brokerDatas }: TopicRouteData): TopicRoute {
  const brokers = brokerDatas.map(({ cluster, brokerName, brokerAddrs }) => ({
    clusterName: cluster,
    brokerName,
    addresses: [...brokerAddrs]
      .map(([brokerId, address]) => ({ brokerId, address }))
      .sort((a, b) => a.brokerId - b.brokerId),
  }))
  const queues = queueDatas.map(({ brokerName, readQueueNums, writeQueueNums, perm, topicSysFlag }) => {
    return { brokerName, readQueueNums, writeQueueNums, perm, topicSysFlag }
  })
  return { topic, orderTopicConf, queues: queues.sort(byBroker), brokers: brokers.sort(byBroker) }
}

const byBroker = (a: { brokerName: string }, b: { brokerName: string }): number =>
  compareText(a.brokerName, b.brokerName)

/** An address of each broker of the route: its master, or a slave where there is none, which knows the same. */
export const brokersOf = (route: TopicRoute): { readonly brokerName: string; readonly address: string }[] =>
  route.brokers.flatMap(({ brokerName, addresses }) =>
    addresses[0] === undefined ? [] : [{ brokerName, address: addresses[0].address }],
  )

/** Brokers that may know a group: those with its retry topic, or without one all masters. */
export async function brokersOfGroup(session: AdminSession, group: string): Promise<string[]> {
  const route = await findTopicRoute(session, `${retryPrefix}${group}`)
  const found = route === undefined ? [] : brokersOf(route).map(({ address }) => address)
  return found.length > 0 ? found : mastersAt(session)
}

/** Names of the clusters that have the topic. Errors: NOT_FOUND. */
export async function topicClusters(session: AdminSession, topic: string): Promise<string[]> {
  const { brokers } = await topicRoute(session, topic)
  return [...new Set(brokers.map(({ clusterName }) => clusterName))].sort(compareText)
}
