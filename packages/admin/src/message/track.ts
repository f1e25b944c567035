import { findConsumers } from '../consumer/connection.ts'
import { groupProgress } from '../consumer/progress.ts'
import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { topicGroups } from '../topic/stats.ts'
import type { FoundMessage } from './message.ts'

/** Whether a group has consumed a message. */
export interface MessageTrack {
  readonly group: string
  /**
   * CONSUMED; CONSUMED_BUT_FILTERED: its tags let it out; NOT_CONSUME_YET; NOT_ONLINE: nobody is connected; PULL: only
   * the members know; CONSUME_BROADCASTING: every member keeps its own place; UNKNOWN.
   */
  readonly state: string
  /** Why it is UNKNOWN. */
  readonly problem?: string
}

/** What groups of the topic made of a message, by where they stand in its queue. */
export async function messageTracks(session: AdminSession, message: FoundMessage): Promise<MessageTrack[]> {
  const groups = await topicGroups(session, message.topic)
  return each(groups, async group => {
    try {
      return { group, state: await stateOf(session, message, group) }
    } catch (error) {
      if (!(error instanceof AdminError)) throw error
      return { group, state: 'UNKNOWN', problem: error.message }
    }
  })
}

async function stateOf(session: AdminSession, message: FoundMessage, group: string): Promise<string> {
  const { topic, brokerName, queueId, queueOffset } = message
  const online = await findConsumers(session, group)
  if (online === undefined) return 'NOT_ONLINE'
  if (online.consumeType === 'CONSUME_ACTIVELY') return 'PULL'
  if (online.messageModel === 'BROADCASTING') return 'CONSUME_BROADCASTING'
  const { queues } = await groupProgress(session, group, topic)
  const stands = queues.find(queue => queue.brokerName === brokerName && queue.queueId === queueId)
  if (stands === undefined) return 'UNKNOWN'
  if (stands.consumerOffset <= queueOffset) return 'NOT_CONSUME_YET'
  const wanted = online.subscriptions.find(subscription => subscription.topic === topic)
  const tags = wanted?.expressionType === 'TAG' ? wanted.tagsSet : []
  const isFiltered = tags.length > 0 && !tags.includes('*') && !tags.includes(message.tags ?? '')
  return isFiltered ? 'CONSUMED_BUT_FILTERED' : 'CONSUMED'
}
