import { ResponseCode } from '@skua-mq/protocol'
import { brokerConfig } from '../broker.ts'
import { findConsumers } from '../consumer/connection.ts'
import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import { putGroup } from '../group.ts'
import { commitOffset, newest, resetOffsets } from '../offset.ts'
import { resetQueue } from '../offset-history.ts'
import type { AdminSession } from '../session.ts'
import type { PlannedQueue, ResetTarget } from './plan.ts'

/** commit: nobody was online. broker: brokers tell the members. */
export type MovedBy = 'commit' | 'broker'

/** What is to be moved, and by which plan. */
export interface PlannedReset {
  readonly group: string
  readonly topic: string
  readonly target: ResetTarget
  readonly queues: readonly PlannedQueue[]
}

/** Members that are online. */
export const membersOnline = async (session: AdminSession, group: string): Promise<number> =>
  (await findConsumers(session, group))?.clients.length ?? 0

/** Errors: ARGUMENT where members are online and an offset is wanted, over which they would commit. */
export function mustReset({ group, target }: Pick<PlannedReset, 'group' | 'target'>, members: number): void {
  if (members > 0 && 'offset' in target)
    throw new AdminError(
      'ARGUMENT',
      `${members} members of ${group} are online and would commit over an offset: stop them, or give earliest, latest or a time`,
    )
}

/** Does what `resetPlan` planned: brokers tell members that run, for others offsets are committed. Errors: ARGUMENT. */
export async function runReset(
  session: AdminSession,
  { group, topic, target, queues }: PlannedReset,
): Promise<{ readonly by: MovedBy; readonly queues: readonly PlannedQueue[] }> {
  const members = await membersOnline(session, group)
  mustReset({ group, target }, members)
  if (members > 0) return byBrokers(session, { group, topic, target, queues })
  await each(queues, queue => commitOffset(session, queue, { group, offset: queue.to }))
  return { by: 'commit', queues }
}

/** Members that run are told by their brokers, which know times only. */
async function byBrokers(session: AdminSession, { group, topic, target, queues }: PlannedReset) {
  const timestampMs =
    'timestampMs' in target ? target.timestampMs : 'end' in target && target.end === 'max' ? newest : 0
  const { by, queues: reset } = await resetOffsets(session, { group, topic, timestampMs })
  const done = queues.map(queue => {
    const at = reset.find(({ brokerName, queueId }) => brokerName === queue.brokerName && queueId === queue.queueId)
    return at === undefined ? queue : { ...queue, to: at.offset }
  })
  return { by, queues: done }
}

/** Moves each queue of a plan to its own offset, members that run as well where their brokers can tell them. Errors: ARGUMENT where one cannot. */
export async function moveQueues(
  session: AdminSession,
  group: string,
  queues: readonly PlannedQueue[],
): Promise<MovedBy> {
  const members = await membersOnline(session, group)
  const changed = queues.filter(({ from, to }) => from !== to)
  if (members === 0) {
    await each(changed, queue => commitAgain(session, queue, group))
    return 'commit'
  }
  for (const address of new Set(changed.map(queue => queue.address))) {
    const { useServerSideResetOffset } = await brokerConfig(session, address)
    if (useServerSideResetOffset !== 'true')
      throw new AdminError(
        'ARGUMENT',
        `${members} members of ${group} are online, and the broker ${address} cannot tell them: stop them, or set useServerSideResetOffset=true`,
      )
  }
  await each(changed, queue => resetQueue(session, queue, { group, offset: queue.to }))
  return 'broker'
}

/** Also for a group that was deleted since: brokers of 5.x take no offset of a group that is not there, so it is made again. */
async function commitAgain(session: AdminSession, queue: PlannedQueue, group: string): Promise<void> {
  const offset = { group, offset: queue.to }
  try {
    await commitOffset(session, queue, offset)
  } catch (error) {
    if (!(error instanceof AdminError) || error.responseCode !== ResponseCode.subscriptionGroupNotExist) throw error
    await putGroup(session, { brokerAddr: queue.address }, { groupName: group })
    await commitOffset(session, queue, offset)
  }
}
