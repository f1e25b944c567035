import { delay } from '@skua-mq/runtime'
import { findConsumers, type GroupConnections } from '../consumer/connection.ts'
import { groupProgress } from '../consumer/progress.ts'
import { consumerRunningInfo, type RunningConsumer } from '../consumer/running.ts'
import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import { groupNames } from '../names.ts'
import type { QueueProgress } from '../queue-progress.ts'
import type { AdminSession } from '../session.ts'
import { findTopicRoute } from '../topic/route.ts'
import { type Finding, grave, hint, listed } from './finding.ts'

/** Members of a group that are asked what they subscribe to. */
const maxMembersAsked = 64

/** All that is found in groups which are online. `watchMs` is how long queues are watched. */
export async function groupFindings(session: AdminSession, watchMs: number): Promise<Finding[]> {
  const found = await each(await groupNames(session, false), group => findConsumers(session, group))
  const online = found.filter(one => one !== undefined)
  const still = standingStill(session, online, watchMs)
  const others = await each(online, async group => [
    ...(await subscriptionFindings(session, group)),
    ...(await crowdFindings(session, group)),
  ])
  return [...others.flat(), ...(await still)]
}

/** Members of one group must subscribe to the same: each gets queues of all its topics. */
async function subscriptionFindings(session: AdminSession, { group, clients }: GroupConnections): Promise<Finding[]> {
  const asked = await each(clients.slice(0, maxMembersAsked), async ({ clientId }) => {
    try {
      return await consumerRunningInfo(session, { group, clientId })
    } catch (error) {
      if (error instanceof AdminError) return undefined
      throw error
    }
  })
  const members = asked.filter(member => member !== undefined)
  const [first] = members
  const other = members.find(member => textOf(member) !== (first === undefined ? '' : textOf(first)))
  if (first === undefined || other === undefined) return []
  const sentence = `the members of group ${group} subscribe differently (${first.clientId}: ${shown(first)}; ${other.clientId}: ${shown(other)}), so messages are lost to the group: give all of them the same topics and filters`
  return [grave('subscriptions', sentence)]
}

const textOf = ({ subscriptions }: RunningConsumer): string => JSON.stringify(subscriptions)
const shown = ({ subscriptions }: RunningConsumer): string =>
  listed(
    subscriptions
      .filter(({ topic }) => !topic.startsWith('%'))
      .map(({ topic, subString }) => `${topic} "${subString}"`),
  )

/** A queue has one member, so members beyond the queues get nothing. */
async function crowdFindings(
  session: AdminSession,
  { group, clients, subscriptions, messageModel }: GroupConnections,
): Promise<Finding[]> {
  if (messageModel === 'BROADCASTING') return []
  const topics = subscriptions.map(({ topic }) => topic).filter(topic => !topic.startsWith('%'))
  const findings = await each(topics, async topic => {
    const { queues = [] } = (await findTopicRoute(session, topic)) ?? {}
    const count = queues.reduce((sum, { readQueueNums }) => sum + readQueueNums, 0)
    if (count === 0 || clients.length <= count) return []
    const idle = clients.length - count
    const sentence = `${idle} of the ${clients.length} members of group ${group} get nothing of ${topic}, which has ${count} queues: give the topic more queues, or stop some`
    return [hint('members', sentence)]
  })
  return findings.flat()
}

/** Queues with a backlog in which nobody gets on, although members are online. */
async function standingStill(
  session: AdminSession,
  online: readonly GroupConnections[],
  watchMs: number,
): Promise<Finding[]> {
  const watched = online.filter(({ messageModel }) => messageModel !== 'BROADCASTING')
  const read = () => each(watched, async ({ group }) => (await groupProgress(session, group)).queues)
  const before = await read()
  if (!before.flat().some(({ diff }) => diff > 0)) return []
  await delay(session.runtime.clock, watchMs)
  const after = await read()
  return watched.flatMap(({ group }, i) => {
    const stood = new Map(before[i]!.filter(({ diff }) => diff > 0).map(queue => [keyOf(queue), queue.consumerOffset]))
    const still = after[i]!.filter(queue => stood.get(keyOf(queue)) === queue.consumerOffset)
    return stillOf(group, still, watchMs)
  })
}

const keyOf = ({ topic, brokerName, queueId }: QueueProgress): string => `${topic}\n${brokerName}\n${queueId}`

/** One for each topic. */
function stillOf(group: string, still: readonly QueueProgress[], watchMs: number): Finding[] {
  const topics = [...new Set(still.map(({ topic }) => topic))]
  return topics.map(topic => {
    const queues = still.filter(queue => queue.topic === topic)
    const waiting = queues.reduce((sum, { diff }) => sum + diff, 0)
    const names = listed(queues.map(({ brokerName, queueId }) => `${brokerName}/${queueId}`))
    const seconds = Math.round(watchMs / 100) / 10
    return grave(
      'standstill',
      `group ${group} stands still in ${topic} (queues ${names}): ${waiting} messages wait and none was consumed in ${seconds} s though members are online; skua lag ${group} shows who has the queues, skua mqadmin consumerStatus -g ${group} what they do`,
    )
  })
}
