import { AdminError, type AdminSession, commitOffset, each, findConsumers, newest, resetOffsets } from '@skua-mq/admin'
import { type Block, lines, table } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'
import { type PlannedQueue, resetPlan, type Target, targetOf } from './reset-plan.ts'

interface Options {
  readonly topic: string
  readonly to: string
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
    const target = targetOf(options.to)
    await mustKnow(session, group)
    const queues = await resetPlan(session, { group, topic, target })
    const members = (await findConsumers(session, group))?.clients.length ?? 0
    if (members > 0 && 'offset' in target) throw running(group, members)
    if (options.dryRun === true) return { group, topic, by: 'planned', queues }
    if (options.yes !== true) {
      await given.say(planTable(queues))
      if (!(await given.confirm(`Reset ${group} in ${topic}, ${members === 0 ? 'offline' : `${members} online`}?`)))
        return { group, topic, by: 'declined', queues }
    }
    if (members > 0) return { group, topic, ...(await byBrokers(session, { group, topic, target }, queues)) }
    await each(queues, queue => commitOffset(session, queue, { group, offset: queue.to }))
    return { group, topic, by: 'commit', queues }
  },
  show: ({ by, group, queues }, { options }) => [
    // Who was asked has seen it.
    ...(by === 'planned' || options.yes === true ? [planTable(queues)] : []),
    lines(said(by, group)),
  ],
  problems: ({ by }) => (by === 'declined' ? ['nothing was reset'] : []),
})

/** What came of it, in words. */
export function said(by: ResetDone['by'], group: string): string {
  if (by === 'planned') return 'dry run: nothing was changed'
  if (by === 'declined') return 'as it was'
  return by === 'commit'
    ? `committed: ${group} goes on there when it starts`
    : `told: the members of ${group} go there within seconds; skua lag ${group} shows it`
}

const running = (group: string, members: number): AdminError =>
  new AdminError(
    'ARGUMENT',
    `${members} members of ${group} are online and would commit over an offset: stop them, or give earliest, latest or a time`,
  )

/** Members that run are told by their brokers, which know times only. */
async function byBrokers(
  session: AdminSession,
  { group, topic, target }: { readonly group: string; readonly topic: string; readonly target: Target },
  queues: readonly PlannedQueue[],
): Promise<Pick<ResetDone, 'by' | 'queues'>> {
  const timestampMs =
    'timestampMs' in target ? target.timestampMs : 'end' in target && target.end === 'max' ? newest : 0
  const { by, queues: reset } = await resetOffsets(session, { group, topic, timestampMs })
  const done = queues.map(queue => {
    const at = reset.find(({ brokerName, queueId }) => brokerName === queue.brokerName && queueId === queue.queueId)
    return at === undefined ? queue : { ...queue, to: at.offset }
  })
  return { by, queues: done }
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
