import {
  deadLetterPrefix,
  deleteSubscriptionGroup,
  getAllSubscriptionGroupConfig,
  type MessageRequestMode,
  retryPrefix,
  type SubscriptionGroupConfig,
  setMessageRequestMode,
  updateAndCreateSubscriptionGroup,
  updateAndCreateSubscriptionGroupList,
} from '@skua-mq/protocol'
import { clusterBrokers, mastersAt, type Where } from './cluster.ts'
import { compareText, each } from './each.ts'
import { AdminError } from './error.ts'
import { readList, type TakenList } from './list-file.ts'
import type { AdminSession } from './session.ts'
import { deleteTopic } from './topic/config.ts'
import { listTopics } from './topic/route.ts'

/** All groups that a broker has settings of, by name. */
export async function groupConfigs(session: AdminSession, address: string): Promise<SubscriptionGroupConfig[]> {
  const timeoutMs = 3 * session.timeoutMs
  const call = { spec: getAllSubscriptionGroupConfig, header: {}, timeoutMs }
  const { subscriptionGroupTable } = await session.read(address, call)
  return [...subscriptionGroupTable.values()].sort((a, b) => compareText(a.groupName, b.groupName))
}

/** Names of groups that consume or did: out of the retry topics, which every group has, and of the masters' settings. */
export async function listGroups(session: AdminSession): Promise<string[]> {
  const names = await retryGroups(session)
  const tables = await each(await mastersAt(session), address => groupConfigs(session, address))
  for (const table of tables) for (const { groupName } of table) names.add(groupName)
  return [...names].sort(compareText)
}

/** Names of groups that have a retry topic, which is what Apache's tools list. */
export async function retryGroups(session: AdminSession): Promise<Set<string>> {
  const topics = await listTopics(session)
  return new Set(topics.filter(topic => topic.startsWith(retryPrefix)).map(topic => topic.slice(retryPrefix.length)))
}

/** Settings of a group at one broker. */
export interface GroupAt {
  readonly clusterName: string
  readonly brokerName: string
  readonly address: string
  readonly config: SubscriptionGroupConfig
}

/** Settings of a group at each master that has some. Errors: NOT_FOUND when none has. */
export async function groupConfig(session: AdminSession, group: string): Promise<GroupAt[]> {
  const masters = (await clusterBrokers(session)).filter(({ brokerId }) => brokerId === 0)
  const found = await each(masters, async ({ clusterName, brokerName, address }) => {
    const config = (await groupConfigs(session, address)).find(({ groupName }) => groupName === group)
    return config === undefined ? [] : [{ clusterName, brokerName, address, config }]
  })
  if (found.flat().length > 0) return found.flat()
  throw new AdminError('NOT_FOUND', `no broker has settings of group ${group}: list the groups to see their names`)
}

/** How a group is to be; what is not given has the default of a new group. */
export type GroupSettings = Partial<SubscriptionGroupConfig> & { readonly groupName: string }

/** Creates the group at each master, or replaces its settings. Returns who took them. */
export async function putGroup(session: AdminSession, where: Where, settings: GroupSettings): Promise<string[]> {
  const addresses = await mastersAt(session, where)
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  const body: SubscriptionGroupConfig = { ...newGroup, ...given, groupName: settings.groupName }
  await session.writeEach(addresses, { spec: updateAndCreateSubscriptionGroup, body })
  return addresses
}

/** Creates groups at each master, or replaces them: all or none. `file`: a JSON list of RocketMQ's SubscriptionGroupConfig. Errors: ARGUMENT. */
export async function putGroupList(session: AdminSession, where: Where, file: Uint8Array): Promise<TakenList> {
  const body = readList(updateAndCreateSubscriptionGroupList.body!, 'groupConfigList', file)
  const addresses = await mastersAt(session, where)
  await session.writeEach(addresses, { spec: updateAndCreateSubscriptionGroupList, body })
  return { brokers: addresses, names: body.groupConfigList.map(({ groupName }) => groupName) }
}

/** Apache's defaults: unlike a broker's own, broadcasting is off and consuming from the beginning, too. */
const newGroup = {
  consumeEnable: true,
  consumeFromMinEnable: false,
  consumeBroadcastEnable: false,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
  notifyConsumerIdsChangedEnable: true,
  consumeMessageOrderly: undefined,
  consumeTimeoutMinute: undefined,
  groupSysFlag: undefined,
  groupRetryPolicy: undefined,
  subscriptionDataSet: undefined,
  attributes: undefined,
}

/** What `deleteGroup` takes. */
export interface DeleteGroup {
  readonly group: string
  /** The places where it stands in its queues go, too. Default false. */
  readonly removeOffset?: boolean | undefined
}

/** Deletes a group at masters; of a whole cluster also its retries and dead letters. Returns who did. */
export async function deleteGroup(
  session: AdminSession,
  where: Where,
  { group, removeOffset = false }: DeleteGroup,
): Promise<string[]> {
  const addresses = await mastersAt(session, where)
  const header = { groupName: group, removeOffset, cleanOffset: removeOffset }
  await session.writeEach(addresses, { spec: deleteSubscriptionGroup, header })
  const { clusterName } = where
  if (clusterName !== undefined)
    for (const prefix of [retryPrefix, deadLetterPrefix])
      await deleteTopic(session, { topic: `${prefix}${group}`, clusterName })
  return addresses
}

/** Has a group pull or pop a topic, at each master; of it hears who balances at the broker. Returns who took it. */
export async function setRequestMode(session: AdminSession, where: Where, mode: MessageRequestMode): Promise<string[]> {
  const addresses = await mastersAt(session, where)
  await session.writeEach(addresses, { spec: setMessageRequestMode, body: mode })
  return addresses
}
