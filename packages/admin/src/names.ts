import { isSystemTopic, replyTopicSuffix } from '@skua-mq/protocol'
import { mastersAt } from './cluster.ts'
import { each } from './each.ts'
import { listGroups } from './group.ts'
import type { AdminSession } from './session.ts'
import { systemTopics } from './topic/config.ts'
import { listTopics } from './topic/route.ts'

/** Groups of brokers and tools, which nobody made. */
const systemGroups =
  /^(CID_RMQ_SYS_|CID_ONS|TOOLS_CONSUMER$|FILTERSRV_CONSUMER$|SELF_TEST_C_GROUP$|__MONITOR_CONSUMER$)/

/** Whether nobody made the group. */
export const isSystemGroup = (group: string): boolean => systemGroups.test(group)

/** Whether nobody made the topic; `ofBrokers` are the names that brokers call their own. */
export const isOwnTopic = (topic: string, ofBrokers: ReadonlySet<string>): boolean =>
  topic.startsWith('%') || isSystemTopic(topic) || topic.endsWith(replyTopicSuffix) || ofBrokers.has(topic)

/** Names that brokers call their own; what does not answer has none. */
export async function brokersOwnTopics(session: AdminSession): Promise<ReadonlySet<string>> {
  const names = await each(await mastersAt(session), address => systemTopics(session, address).catch(() => []))
  return new Set(names.flat())
}

/** Topics that somebody made, or all. */
export async function topicNames(session: AdminSession, isAll: boolean): Promise<string[]> {
  const [names, ofBrokers] = await Promise.all([listTopics(session), brokersOwnTopics(session)])
  return isAll ? names : names.filter(name => !isOwnTopic(name, ofBrokers))
}

/** Groups that somebody made, or all. */
export const groupNames = async (session: AdminSession, isAll: boolean): Promise<string[]> =>
  (await listGroups(session)).filter(group => isAll || !isSystemGroup(group))
