import {
  AdminError,
  type AdminSession,
  each,
  findConsumers,
  groupNames,
  groupProgress,
  listGroups,
} from '@skua-mq/admin'
import { lines, table } from '../mqadmin/frame/table.ts'
import { countText, notThere } from './figures.ts'
import { type Given, personCommand } from './frame.ts'

/** A group at a glance. */
export interface GroupLine {
  readonly group: string
  readonly online: boolean
  /** `push clustering` and the like; '' for a group that is offline. */
  readonly mode: string
  readonly members: number
  /** Messages that wait; null where a broker does not tell. */
  readonly lag: number | null
  /** Messages a second. */
  readonly consumeTps: number
  readonly problem?: string
}

/** Errors: NOT_FOUND for a group that nobody knows, with the nearest name. */
export async function mustKnow(session: AdminSession, group: string): Promise<void> {
  const names = await listGroups(session)
  if (!names.includes(group)) throw notThere('group', group, names, 'skua groups')
}

export async function groupLine(session: AdminSession, group: string): Promise<GroupLine> {
  try {
    const [{ consumeTps, diffTotal }, online] = await Promise.all([
      groupProgress(session, group),
      findConsumers(session, group),
    ])
    const how = online?.consumeType === 'CONSUME_ACTIVELY' ? 'pull' : 'push'
    const mode = online === undefined ? '' : `${how} ${online.messageModel.toLowerCase()}`
    const members = online?.clients.length ?? 0
    return { group, online: online !== undefined, mode, members, lag: diffTotal, consumeTps }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { group, online: false, mode: '', members: 0, lag: null, consumeTps: 0, problem: error.message }
  }
}

export const groupTable = (rows: readonly GroupLine[]) =>
  rows.length === 0
    ? lines('no groups yet: a consumer makes one when it starts')
    : table(
        [
          { title: 'GROUP', cell: row => row.group },
          { title: 'STATE', cell: row => (row.problem !== undefined ? '?' : row.online ? 'online' : 'offline') },
          { title: 'MODE', cell: row => row.mode || '-' },
          { title: 'MEMBERS', cell: row => row.members, right: true },
          { title: 'LAG', cell: row => countText(row.lag ?? undefined), right: true },
          { title: 'CONSUMED/S', cell: row => countText(row.consumeTps), right: true },
        ],
        rows,
      )

export const groupProblems = (rows: readonly GroupLine[]): string[] =>
  rows.flatMap(({ group, problem }) => (problem === undefined ? [] : [`group ${group}: ${problem}`]))

/** `skua groups`. */
export const groups = personCommand({
  run: async ({ session, options }: Given<{ readonly all?: boolean }>) =>
    each(await groupNames(session, options.all === true), group => groupLine(session, group)),
  show: rows => [groupTable(rows)],
  problems: groupProblems,
})
