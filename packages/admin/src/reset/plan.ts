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

function offsetOf(session: AdminSession, place: QueueAt, target: ResetTarget): number | Promise<number> {
  if ('end' in target) return queueEnd(session, place, target.end)
  return 'offset' in target ? target.offset : offsetAt(session, place, target.timestampMs)
}
