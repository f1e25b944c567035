import {
  AdminError,
  type AdminSession,
  each,
  groupNames,
  groupProgress,
  ownerKey,
  type QueueProgress,
  queueOwners,
} from '@skua-mq/admin'
import { type Block, emptyLine, lines, table } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { countText } from './figures.ts'
import { personCommand } from './frame.ts'
import { type GroupLine, groupLine, groupProblems, groupTable, mustKnow } from './groups.ts'

/** A queue of a group, and which member has it; '' for none. */
export type OwnedQueue = QueueProgress & { readonly owner: string }

/** One group queue by queue, or all groups. */
type Lag =
  | { readonly group: string; readonly lag: number; readonly queues: readonly OwnedQueue[]; readonly note?: string }
  | { readonly groups: readonly GroupLine[] }

/** Queues of a group with their owners; the note says why these are missing. */
export async function ownedQueues(session: AdminSession, group: string) {
  const { queues, diffTotal } = await groupProgress(session, group)
  const told = await queueOwners(session, group).catch((error: unknown) => {
    if (error instanceof AdminError) return error
    throw error
  })
  const owners = told instanceof AdminError ? new Map<string, string>() : told
  const note = told instanceof AdminError ? { note: `owners are not known: ${told.message}` } : {}
  return {
    lag: diffTotal,
    queues: queues.map(queue => ({ ...queue, owner: owners.get(ownerKey(queue)) ?? '' })),
    ...note,
  }
}

/** `skua lag [group]`. */
export const lag = personCommand({
  run: async ({ session, words: [group] }): Promise<Lag> => {
    if (group === undefined) {
      const rows = await each(await groupNames(session, false), name => groupLine(session, name))
      // What is not known may be the worst.
      return { groups: rows.sort((a, b) => (b.lag ?? Number.MAX_VALUE) - (a.lag ?? Number.MAX_VALUE)) }
    }
    await mustKnow(session, group)
    return { group, ...(await ownedQueues(session, group)) }
  },
  show: result => ('groups' in result ? [groupTable(result.groups)] : oneGroup(result)),
  problems: result => ('groups' in result ? groupProblems(result.groups) : []),
})

function oneGroup({ group, lag: total, queues, note }: Exclude<Lag, { readonly groups: unknown }>): Block[] {
  if (queues.length === 0) return [lines(`group ${group} has consumed nothing yet`)]
  const all = table(
    [
      { title: 'TOPIC', cell: row => row.topic },
      { title: 'BROKER', cell: row => row.brokerName },
      { title: 'QUEUE', cell: row => row.queueId, right: true },
      { title: 'LAG', cell: row => countText(row.diff), right: true },
      { title: 'NEXT', cell: row => row.consumerOffset, right: true },
      { title: 'END', cell: row => row.brokerOffset, right: true },
      { title: 'LAST CONSUMED', cell: row => (row.lastConsumedMs > 0 ? timeText(row.lastConsumedMs) : '-') },
      { title: 'OWNER', cell: row => row.owner || '-' },
    ],
    queues,
  )
  return [all, emptyLine, lines(`${countText(total)} waiting`, ...(note === undefined ? [] : [note]))]
}
