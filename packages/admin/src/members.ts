import {
  getPendingTransactions,
  getTimers,
  templateTopic,
  updateAndCreateTopic,
  updateBrokerConfig,
} from '@skua-mq/protocol'
import { brokerConfig, brokerConsumeStats, brokerRuntimeInfo } from './broker.ts'
import { type ClusterBroker, clusterBrokers, masterNamed } from './cluster.ts'
import { groupConfigs, putGroup } from './group.ts'
import { writeSettings } from './properties.ts'
import type { AdminSession } from './session.ts'
import { systemTopics, topicConfigs } from './topic/config.ts'

/** What is still at a broker that is to leave. */
export interface Remaining {
  /** Messages that groups have not consumed, by topic and group. */
  readonly waiting: readonly { readonly topic: string; readonly group: string; readonly messages: number }[]
  /** Delayed messages and timers that are not due, and transactions without a verdict. */
  readonly later: number
  /** The end of the log: it grows as long as somebody sends, or something is delivered. */
  readonly logEnd: number
}

const readOnly = '4'
const readAndWrite = '6'

/** No more messages for this broker: clients learn it within half a minute, and those that do not know yet are served. */
export const stopWrites = (session: AdminSession, brokerName: string): Promise<void> =>
  setPermission(session, brokerName, readOnly)

/** Undoes `stopWrites`. */
export const allowWrites = (session: AdminSession, brokerName: string): Promise<void> =>
  setPermission(session, brokerName, readAndWrite)

async function setPermission(session: AdminSession, brokerName: string, brokerPermission: string): Promise<void> {
  const { address } = await masterNamed(session, brokerName)
  await session.write(address, { spec: updateBrokerConfig, body: writeSettings({ brokerPermission }) })
}

/** What is left to be done at a broker before it may go. */
export async function remainingAt(session: AdminSession, brokerName: string): Promise<Remaining> {
  const { address } = await masterNamed(session, brokerName)
  const info = await brokerRuntimeInfo(session, address)
  const waiting = new Map<string, { topic: string; group: string; messages: number }>()
  for (const { group, topic, brokerOffset, consumerOffset } of await brokerConsumeStats(session, address)) {
    const messages = brokerOffset - consumerOffset
    if (messages <= 0) continue
    const key = `${topic}@${group}`
    waiting.set(key, { topic, group, messages: messages + (waiting.get(key)?.messages ?? 0) })
  }
  const later = delayed(info) + (await timers(session, address)) + (await undecided(session, address))
  return { waiting: [...waiting.values()], later, logEnd: Number(info['commitLogMaxOffset'] ?? 0) }
}

/** Of each delay level the runtime information says how far it is, and its end. */
function delayed(info: Readonly<Record<string, string>>): number {
  let count = 0
  for (const [key, value] of Object.entries(info)) {
    if (!key.startsWith('scheduleMessageOffset_')) continue
    const [done = 0, end = 0] = value.split(',').map(Number)
    count += Math.max(0, end - done)
  }
  return count
}

/** Brokers that are not ours do not tell. */
const notSupported = 3

async function timers(session: AdminSession, address: string): Promise<number> {
  const reply = await session.ask(address, { spec: getTimers, header: { limit: 1 } as never, allow: [notSupported] })
  return reply.code !== 0 || reply.body === undefined ? 0 : getTimers.replyBody!.decode(reply.body).waiting
}

async function undecided(session: AdminSession, address: string): Promise<number> {
  const reply = await session.ask(address, { spec: getPendingTransactions, allow: [notSupported] })
  if (reply.code !== 0 || reply.body === undefined) return 0
  return getPendingTransactions.replyBody!.decode(reply.body).transactions.length
}

/** The broker and its slaves leave all name servers; they run on until somebody stops them. Returns who left. */
export async function leave(session: AdminSession, brokerName: string): Promise<string[]> {
  const brokers = (await clusterBrokers(session)).filter(broker => broker.brokerName === brokerName)
  const left = [...brokers].sort((a, b) => b.brokerId - a.brokerId).map(({ address }) => address)
  for (const address of left)
    await session.write(address, { spec: updateBrokerConfig, body: writeSettings({ namesrvAddr: '' }) })
  return left
}

/** What a broker took of another one. */
export interface Joined {
  readonly broker: ClusterBroker
  readonly groups: readonly string[]
  readonly topics: readonly string[]
  readonly settings: Readonly<Record<string, string>>
}

/**
 * Gives a new broker the groups, the settings and the topics of another one, the topics last: with them come the messages. Groups
 * begin at the first message of each queue, as there is nothing before it.
 */
export async function join(
  session: AdminSession,
  { name, like, keys }: { readonly name: string; readonly like: string; readonly keys: readonly string[] },
): Promise<Joined> {
  const [broker, model] = [await masterNamed(session, name), await masterNamed(session, like)]
  const at = { brokerAddr: broker.address }
  const groups = await groupConfigs(session, model.address)
  for (const group of groups) await putGroup(session, at, group)
  const settings = await differing(session, { broker, model, keys })
  if (Object.keys(settings).length > 0)
    await session.write(broker.address, { spec: updateBrokerConfig, body: writeSettings(settings) })
  const own = new Set(await systemTopics(session, model.address))
  const topics = (await topicConfigs(session, model.address)).filter(({ topicName }) => !own.has(topicName))
  for (const { topicName, topicFilterType, attributes, ...config } of topics) {
    const given = Object.entries(attributes ?? {}).map(([key, value]) => `+${key}=${value}`)
    const header = {
      ...config,
      topic: topicName,
      defaultTopic: templateTopic,
      topicFilterType: topicFilterType ?? 'SINGLE_TAG',
      attributes: given.join(',') || undefined,
    }
    await session.write(broker.address, { spec: updateAndCreateTopic, header })
  }
  return { broker, groups: groups.map(each => each.groupName), topics: topics.map(each => each.topicName), settings }
}

/** Settings that may be changed while a broker runs, where the two are not of one mind. */
async function differing(
  session: AdminSession,
  {
    broker,
    model,
    keys,
  }: { readonly broker: ClusterBroker; readonly model: ClusterBroker; readonly keys: readonly string[] },
): Promise<Record<string, string>> {
  const [own, wanted] = [await brokerConfig(session, broker.address), await brokerConfig(session, model.address)]
  const settings: Record<string, string> = {}
  for (const key of keys) {
    const value = wanted[key]
    if (value !== undefined && value !== own[key]) settings[key] = value
  }
  return settings
}
