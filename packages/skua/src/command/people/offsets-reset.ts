import {
  AdminError,
  type AdminSession,
  membersOnline,
  moveQueues,
  mustReset,
  type PlannedQueue,
  placedPlan,
  type QueueOffset,
  type QueuePlaces,
  type ResetTarget,
  resetPlan,
  runReset,
} from '@skua-mq/admin'
import { type Block, lines, table } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'
import { targetOf } from './reset-target.ts'

interface Options {
  readonly topic: string
  readonly to?: string
  readonly queue?: readonly QueueOffset[]
  readonly as?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** What was asked, and what came of it. */
export interface ResetDone {
  readonly group: string
  readonly topic: string
  /** planned: --dry-run. commit: nobody was online. broker: brokers tell the members. declined: a person said no. */
  readonly by: 'planned' | 'declined' | 'commit' | 'broker'
  readonly queues: readonly PlannedQueue[]
}

/** `skua offsets reset GROUP`. */
export const offsetsReset = personCommand({
  run: async (given: Given<Options>): Promise<ResetDone> => {
    const { session, words, options } = given
    const [group = ''] = words
    const { topic } = options
    const wish = wishOf(options)
    await mustKnow(session, group)
    const queues = await planOf(session, { group, topic, ...wish })
    const members = await membersOnline(session, group)
    const { target } = wish
    if (target !== undefined) mustReset({ group, target }, members)
    if (options.dryRun === true) return { group, topic, by: 'planned', queues }
    if (options.yes !== true) {
      await given.say(planTable(queues))
      if (!(await given.confirm(`Reset ${group} in ${topic}, ${members === 0 ? 'offline' : `${members} online`}?`)))
        return { group, topic, by: 'declined', queues }
    }
    if (target === undefined) return { group, topic, by: await moveQueues(session, group, queues), queues }
    return { group, topic, ...(await runReset(session, { group, topic, target, queues })) }
  },
  show: ({ by, group, queues }, { options }) => [
    // Who was asked has seen it.
    ...(by === 'planned' || options.yes === true ? [planTable(queues)] : []),
    lines(said(by, group)),
  ],
  problems: ({ by }) => (by === 'declined' ? ['nothing was reset'] : []),
})

interface Wish {
  readonly target: ResetTarget | undefined
  readonly places: QueuePlaces | undefined
}

function wishOf({ to, queue, as }: Options): Wish {
  if ([to, queue, as].filter(given => given !== undefined).length !== 1)
    throw new AdminError('ARGUMENT', 'say where to: one of --to PLACE, --queue BROKER/ID=OFFSET and --as GROUP')
  if (to !== undefined) return { target: targetOf(to), places: undefined }
  return { target: undefined, places: as === undefined ? { queues: queue ?? [] } : { otherGroup: as } }
}

const planOf = (session: AdminSession, { target, places, ...at }: Wish & { group: string; topic: string }) =>
  target === undefined ? placedPlan(session, { ...at, places: places! }) : resetPlan(session, { ...at, target })

/** What came of it, in words. */
export function said(by: ResetDone['by'], group: string): string {
  if (by === 'planned') return 'dry run: nothing was changed'
  if (by === 'declined') return 'as it was'
  return by === 'commit'
    ? `committed: ${group} goes on there when it starts`
    : `told: the members of ${group} go there within seconds; skua lag ${group} shows it`
}

/** Queues of a plan, and what it means for each. */
export const planTable = (queues: readonly PlannedQueue[]): Block =>
  table(
    [
      { title: 'BROKER', cell: row => row.brokerName },
      { title: 'QUEUE', cell: row => row.queueId, right: true },
      { title: 'FROM', cell: row => row.from ?? undefined, right: true },
      { title: '', cell: () => '→' },
      { title: 'TO', cell: row => row.to, right: true },
      { title: 'CONSUMED', cell: consumedText },
      { title: 'HOLDS', cell: row => (row.end === row.first ? 'nothing' : `${row.first} to ${row.end - 1}`) },
    ],
    queues,
  )

/** What the change means. */
function consumedText({ from, to }: PlannedQueue): string {
  if (from === null || from === to) return ''
  return to < from ? `${from - to} again` : `${to - from} never`
}
