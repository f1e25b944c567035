import {
  AdminError,
  type AdminSession,
  lastMoves,
  listGroups,
  membersOnline,
  moveQueues,
  mustReset,
  offsetHistory,
  type PlannedQueue,
  placedPlan,
  type QueuePlaces,
  type ResetTarget,
  resetPlan,
  runReset,
  undoPlan,
} from '@skua-mq/admin'
import { endpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import { confirmation, count, groupName, ms, optionalTopic, plannedQueue, told, topicName } from '../rows.ts'
import { int, list, oneOf, optional, shape, type ValueOf } from '../schema.ts'
import { mustConfirm } from './where.ts'

const maxQueues = 20_000

const wish = {
  group: groupName,
  topic: topicName,
  to: oneOf('earliest', 'latest', 'time', 'offset', 'queues', 'group'),
  timeMs: optional(ms),
  offset: optional(int({ min: 0 })),
  /** With `queues`: an offset for each that is to be moved. */
  queues: optional(
    list(shape({ brokerName: told, queueId: int({ min: 0 }), offset: int({ min: 0 }) }), { max: maxQueues }),
  ),
  /** With `group`: where that one stands. */
  otherGroup: optional(groupName),
}
type Wish = ValueOf<ReturnType<typeof shape<typeof wish>>>

/** A plan, and by which of both ways it is done: all queues by one target, or each to its own offset. */
interface Plan {
  readonly queues: readonly PlannedQueue[]
  readonly target: ResetTarget | undefined
}

function targetOf({ to, timeMs, offset }: Wish): ResetTarget | undefined {
  if (to === 'earliest') return { end: 'min' }
  if (to === 'latest') return { end: 'max' }
  if (to === 'time') {
    if (timeMs === undefined) throw new Problem(400, 'ARGUMENT', 'timeMs is missing: the time to go to')
    return { timestampMs: timeMs }
  }
  if (to !== 'offset') return undefined
  if (offset === undefined) throw new Problem(400, 'ARGUMENT', 'offset is missing: the offset to go to')
  return { offset }
}

async function planOf(session: AdminSession, given: Wish): Promise<Plan> {
  const { group, topic } = given
  if (!(await listGroups(session)).includes(group))
    throw new AdminError('NOT_FOUND', `group ${group} is not known: the list of groups has those that there are`)
  const target = targetOf(given)
  if (target !== undefined) return { queues: await resetPlan(session, { group, topic, target }), target }
  return { queues: await placedPlan(session, { group, topic, places: placesOf(given) }), target: undefined }
}

function placesOf({ to, queues = [], otherGroup }: Wish): QueuePlaces {
  if (to === 'queues') return { queues }
  if (otherGroup === undefined) throw new Problem(400, 'ARGUMENT', 'otherGroup is missing: the group to follow')
  return { otherGroup }
}

const planAnswer = {
  group: told,
  topic: told,
  members: count,
  /** Messages that will be consumed again, and those that never will. */
  again: count,
  skipped: count,
  queues: list(plannedQueue, { max: maxQueues }),
}

const summed = (queues: readonly PlannedQueue[]) => ({
  again: queues.reduce((sum, { from, to }) => sum + Math.max(0, (from ?? to) - to), 0),
  skipped: queues.reduce((sum, { from, to }) => sum + Math.max(0, to - (from ?? to)), 0),
})

/** What a reset would do. */
export const resetPreview = endpoint({
  name: 'group/preview',
  method: 'POST',
  role: 'view',
  help: 'What a reset of offsets would do, queue by queue. Nothing is changed.',
  params: wish,
  answer: shape({ ...planAnswer }),
  run: async ({ cluster }, given) => {
    const { queues, target } = await planOf(cluster.session, given)
    const members = await membersOnline(cluster.session, given.group)
    if (target !== undefined) mustReset({ group: given.group, target }, members)
    return { group: given.group, topic: given.topic, members, queues, ...summed(queues) }
  },
})

/** Has a group go on elsewhere. */
export const reset = endpoint({
  name: 'group/reset',
  method: 'POST',
  role: 'admin',
  help: 'Has a group go on at another place of a topic. Members that run are told by their brokers.',
  params: { ...wish, confirm: confirmation },
  timeMs: 60_000,
  answer: shape({ ...planAnswer, by: oneOf('commit', 'broker') }),
  run: async ({ cluster }, { confirm, ...given }) => {
    mustConfirm(confirm, given.group)
    const { session } = cluster
    const { queues, target } = await planOf(session, given)
    const members = await membersOnline(session, given.group)
    const { group, topic } = given
    const done =
      target === undefined
        ? { by: await moveQueues(session, group, queues), queues }
        : await runReset(session, { group, topic, target, queues })
    return { group, topic, members, ...done, ...summed(done.queues) }
  },
})

/** Puts a group back to where it was before its last move. */
export const undo = endpoint({
  name: 'group/undo',
  method: 'POST',
  role: 'admin',
  help: 'Undoes the last move of the offsets of a group; nothing that was consumed since is consumed again.',
  params: {
    group: groupName,
    topic: optionalTopic,
    dryRun: optional(oneOf('yes')),
    /** Of the move that was shown: another one since is not undone unseen. */
    atMs: optional(ms),
  },
  timeMs: 60_000,
  answer: shape({
    ...{ group: told, atMs: ms, who: told, by: oneOf('planned', 'commit', 'broker') },
    queues: list(plannedQueue, { max: maxQueues }),
    /** Queues that had no offset before, and stay. */
    kept: count,
  }),
  run: async ({ cluster }, { group, topic, dryRun, atMs }) => {
    const { session } = cluster
    const { moves } = await offsetHistory(session, { group, topic })
    const together = lastMoves(moves)
    const last = together.at(-1)
    if (last === undefined) throw new AdminError('NOT_FOUND', `nobody moved an offset of ${group}: nothing to undo`)
    if (atMs !== undefined && atMs !== last.atMs)
      throw new Problem(409, 'MOVED', `${group} was moved again by ${last.who} since this was shown: look at it anew`)
    const { queues, kept } = await undoPlan(session, group, together)
    const by = dryRun === 'yes' ? ('planned' as const) : await moveQueues(session, group, queues)
    return { group, atMs: last.atMs, who: last.who, by, queues, kept }
  },
})
