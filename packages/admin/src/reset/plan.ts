import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import { groupOffset, offsetAt, type QueueAt, queueEnd } from '../offset.ts'
import type { AdminSession } from '../session.ts'
import { topicRoute } from '../topic/route.ts'

/** Where a group is to go on: an end of each queue, what was stored at a time or later, or an offset. */
export type ResetTarget =
  | { readonly end: 'min' | 'max' }
  | { readonly timestampMs: number }
  | { readonly offset: number }

/** A queue, where the group stands in it, and where it is to go on. */
export interface PlannedQueue extends QueueAt {
  readonly brokerName: string
  /** Null where it never consumed. */
  readonly from: number | null
  readonly to: number
  readonly first: number
  readonly end: number
}

/** What a reset would do, by broker and queue. Errors: NOT_FOUND. */
export async function resetPlan(
  session: AdminSession,
  { group, topic, target }: { readonly group: string; readonly topic: string; readonly target: ResetTarget },
): Promise<PlannedQueue[]> {
  const { brokers, queues } = await topicRoute(session, topic)
  const places = queues.flatMap(({ brokerName, readQueueNums }) => {
    const { addresses = [] } = brokers.find(broker => broker.brokerName === brokerName) ?? {}
    const master = addresses.find(({ brokerId }) => brokerId === 0)
    if (master === undefined)
      throw new AdminError('NOT_FOUND', `broker ${brokerName} has no master at the moment: is it down?`)
    const { address } = master
    return Array.from({ length: readQueueNums }, (_, queueId) => ({ brokerName, address, topic, queueId }))
  })
  return each(places, async place => {
    const first = await queueEnd(session, place, 'min')
    const end = await queueEnd(session, place, 'max')
    const from = (await groupOffset(session, place, group)) ?? null
    const to = Math.min(end, Math.max(first, await offsetOf(session, place, target)))
    return { ...place, from, to, first, end }
  })
}

/** A queue, and the offset it is to go to. */
export interface QueueOffset {
  readonly brokerName: string
  readonly queueId: number
  readonly offset: number
}

/** Each queue to a place of its own: to its offset, or to where another group stands. */
export type QueuePlaces = { readonly queues: readonly QueueOffset[] } | { readonly otherGroup: string }

/**
 * As `resetPlan`, of those queues alone that have a place to go to; an offset beyond an end of its queue is that end. Errors: NOT_FOUND,
 * also for a queue that the topic does not have and for a group that has no offset in the topic.
 */
export async function placedPlan(
  session: AdminSession,
  { group, topic, places }: { readonly group: string; readonly topic: string; readonly places: QueuePlaces },
): Promise<PlannedQueue[]> {
  // The plan of a target that is thrown away tells the bounds of each queue.
  const queues = await resetPlan(session, { group, topic, target: { end: 'max' } })
  const given = 'queues' in places ? places.queues : []
  const isOf = (queue: PlannedQueue) => (one: QueueOffset) =>
    one.brokerName === queue.brokerName && one.queueId === queue.queueId
  const stranger = given.find(one => !queues.some(queue => isOf(queue)(one)))
  if (stranger !== undefined)
    throw new AdminError('NOT_FOUND', `topic ${topic} has no queue ${stranger.brokerName}/${stranger.queueId}`)
  const planned = await each(queues, async queue => {
    const to =
      'queues' in places ? given.find(isOf(queue))?.offset : await groupOffset(session, queue, places.otherGroup)
    return to === undefined ? [] : [{ ...queue, to: Math.min(queue.end, Math.max(queue.first, to)) }]
  })
  if (planned.flat().length === 0 && 'otherGroup' in places)
    throw new AdminError('NOT_FOUND', `group ${places.otherGroup} has no offset in topic ${topic}`)
  return planned.flat()
}

function offsetOf(session: AdminSession, place: QueueAt, target: ResetTarget): number | Promise<number> {
  if ('end' in target) return queueEnd(session, place, target.end)
  return 'offset' in target ? target.offset : offsetAt(session, place, target.timestampMs)
}
