import {
  deleteTopicInBroker,
  deleteTopicInNamesrv,
  getAllTopicConfig,
  getSystemTopicListFromBroker,
  Perm,
  type TopicConfig,
  templateTopic,
  updateAndCreateTopic,
  updateAndCreateTopicList,
} from '@skua-mq/protocol'
import { brokersAt, clusterBrokers, mastersAt, type Where } from '../cluster.ts'
import { compareText, each } from '../each.ts'
import { AdminError } from '../error.ts'
import { deleteKv, orderTopicNamespace } from '../kv.ts'
import { readList, type TakenList } from '../list-file.ts'
import type { AdminSession } from '../session.ts'
import { mergeOrderConf, setOrderConf } from './order.ts'

/** How a topic is to be; Apache's defaults. */
export interface TopicSettings {
  /** Default 8. */
  readonly readQueueNums?: number | undefined
  /** Default 8. */
  readonly writeQueueNums?: number | undefined
  /** Bits: read 4, write 2. Default 6. */
  readonly perm?: number | undefined
  /** Its queues are told in the order configuration, too. Default false. */
  readonly order?: boolean | undefined
  /** Bits: unit 1, with unit subscriptions 2. Default 0. */
  readonly topicSysFlag?: number | undefined
  /** 5.x: `+key=value,-key`. */
  readonly attributes?: string | undefined
}

/** All topics of a broker with their settings, by name. */
export async function topicConfigs(session: AdminSession, address: string): Promise<TopicConfig[]> {
  const timeoutMs = 3 * session.timeoutMs
  const { topicConfigTable } = await session.read(address, { spec: getAllTopicConfig, header: {}, timeoutMs })
  return [...topicConfigTable.values()].sort((a, b) => compareText(a.topicName, b.topicName))
}

/** Names of topics that are the broker's own. */
export async function systemTopics(session: AdminSession, address: string): Promise<string[]> {
  const { topicList } = await session.read(address, { spec: getSystemTopicListFromBroker })
  return topicList.sort(compareText)
}

/** Creates the topic at each master, or changes it. Returns who took it. */
export async function putTopic(
  session: AdminSession,
  where: Where,
  { topic, ...settings }: TopicSettings & { readonly topic: string },
): Promise<string[]> {
  const { readQueueNums = 8, writeQueueNums = 8, perm = Perm.read | Perm.write, order = false } = settings
  const addresses = await mastersAt(session, where)
  const header = {
    topic,
    defaultTopic: templateTopic,
    readQueueNums,
    writeQueueNums,
    perm,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: settings.topicSysFlag ?? 0,
    order,
    attributes: settings.attributes,
  }
  await session.writeEach(addresses, { spec: updateAndCreateTopic, header })
  if (order) await putOrder(session, where, { topic, writeQueueNums })
  return addresses
}

/**
 * Creates topics at each master, or changes them: all or none. `file`: a JSON list of RocketMQ's TopicConfig; attributes in it
 * are changes, with their sign before the name. Errors: ARGUMENT for what is no such list.
 */
export async function putTopicList(session: AdminSession, where: Where, file: Uint8Array): Promise<TakenList> {
  const body = readList(updateAndCreateTopicList.body!, 'topicConfigList', file)
  const addresses = await mastersAt(session, where)
  await session.writeEach(addresses, { spec: updateAndCreateTopicList, body })
  return { brokers: addresses, names: body.topicConfigList.map(({ topicName }) => topicName) }
}

/** A whole cluster gives the order configuration anew; one broker adds itself to what there is. */
async function putOrder(
  session: AdminSession,
  where: Where,
  { topic, writeQueueNums }: { readonly topic: string; readonly writeQueueNums: number },
): Promise<void> {
  const brokers = await clusterBrokers(session, where.clusterName)
  const taken = brokers.filter(({ brokerId, address }) =>
    where.brokerAddr === undefined ? brokerId === 0 : address === where.brokerAddr,
  )
  const parts = taken.map(({ brokerName }) => `${brokerName}:${writeQueueNums}`)
  if (where.brokerAddr === undefined) await setOrderConf(session, topic, parts.join(';'))
  else for (const part of parts) await mergeOrderConf(session, topic, part)
}

/** What became of a topic's permission at one broker. */
export interface PermChange {
  readonly address: string
  readonly before: number
  readonly after: number
}

/** Changes the permission only, at each master that has the topic. Errors: NOT_FOUND when none has it. */
export async function setTopicPerm(
  session: AdminSession,
  where: Where,
  { topic, perm }: { readonly topic: string; readonly perm: number },
): Promise<PermChange[]> {
  const changes: PermChange[] = []
  for (const address of await mastersAt(session, where)) {
    const found = (await topicConfigs(session, address)).find(({ topicName }) => topicName === topic)
    if (found === undefined) continue
    const { readQueueNums, writeQueueNums, topicFilterType, topicSysFlag, order } = found
    const queues = { readQueueNums, writeQueueNums, topicSysFlag, order }
    const filter = topicFilterType ?? 'SINGLE_TAG'
    const header = { topic, defaultTopic: templateTopic, topicFilterType: filter, perm, ...queues }
    if (found.perm !== perm) await session.write(address, { spec: updateAndCreateTopic, header })
    changes.push({ address, before: found.perm, after: perm })
  }
  if (changes.length > 0) return changes
  throw new AdminError('NOT_FOUND', `topic ${topic} is at none of these brokers: list the topics to see where it is`)
}

/** What `deleteTopic` did. */
export interface DeletedTopic {
  readonly brokers: readonly string[]
  readonly nameServers: readonly string[]
}

/**
 * Deletes the topic at the cluster's masters and then at every name server, its order configuration included. Its
 * messages are gone with it. Slaves follow their masters. Also of a topic that is not there: what is left of it goes.
 */
export async function deleteTopic(
  session: AdminSession,
  { topic, clusterName }: { readonly topic: string; readonly clusterName: string },
): Promise<DeletedTopic> {
  const brokers = await mastersAt(session, { clusterName })
  await session.writeEach(brokers, { spec: deleteTopicInBroker, header: { topic } })
  const nameServers = session.nameServers()
  await session.writeEach(nameServers, { spec: deleteTopicInNamesrv, header: { topic, clusterName } })
  await deleteKv(session, { namespace: orderTopicNamespace, key: topic })
  return { brokers, nameServers }
}

/** Settings of a topic at each broker that has it; brokers are asked one by one. */
export async function topicConfigAt(
  session: AdminSession,
  topic: string,
  where: Where = {},
): Promise<{ readonly address: string; readonly config: TopicConfig }[]> {
  const tables = await each(await brokersAt(session, where), async address => ({
    address,
    config: (await topicConfigs(session, address)).find(({ topicName }) => topicName === topic),
  }))
  return tables.flatMap(({ address, config }) => (config === undefined ? [] : [{ address, config }]))
}
