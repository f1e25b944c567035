import {
  AdminError,
  lastMoves,
  membersOnline,
  moveQueues,
  offsetHistory,
  type PlannedQueue,
  undoPlan,
} from '@skua-mq/admin'
import { lines } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { type Given, personCommand } from './frame.ts'
import { groupWord } from './group-word.ts'
import { planTable, said } from './offsets-reset.ts'

interface Options {
  readonly group?: string
  readonly topic?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** What was undone: the move, and where each queue goes. */
export interface UndoDone {
  readonly group: string
  readonly by: 'planned' | 'declined' | 'commit' | 'broker'
  readonly undone: { readonly atMs: number; readonly who: string; readonly request: string | null }
  readonly queues: readonly PlannedQueue[]
  /** Queues that had no offset before, and keep the one that they have. */
  readonly kept: number
}

/** `skua offsets undo -g GROUP`. */
export const offsetsUndo = personCommand({
  run: async (given: Given<Options>): Promise<UndoDone> => {
    const { session, words, options } = given
    const group = groupWord(words, options)
    const { moves } = await offsetHistory(session, { group, topic: options.topic })
    const together = lastMoves(moves)
    const last = together.at(-1)
    if (last === undefined) throw new AdminError('NOT_FOUND', `nobody moved an offset of ${group}: nothing to undo`)
    const { queues, kept } = await undoPlan(session, group, together)
    const undone = { atMs: last.atMs, who: last.who, request: last.request ?? null }
    const done = { group, undone, queues, kept }
    if (options.dryRun === true) return { ...done, by: 'planned' }
    const members = await membersOnline(session, group)
    if (options.yes !== true) {
      await given.say(lines(whatText(undone)), planTable(queues))
      const state = members === 0 ? 'offline' : `${members} online`
      if (!(await given.confirm(`Undo this for ${group}, ${state}?`))) return { ...done, by: 'declined' }
    }
    return { ...done, by: await moveQueues(session, group, queues) }
  },
  show: ({ by, group, queues, undone, kept }, { options }) => [
    ...(by === 'planned' || options.yes === true ? [lines(whatText(undone)), planTable(queues)] : []),
    lines(...(kept === 0 ? [] : [`${kept} queues had no offset before: they stay where they are`]), said(by, group)),
  ],
  problems: ({ by }) => (by === 'declined' ? ['nothing was undone'] : []),
})

const whatText = ({ atMs, who, request }: UndoDone['undone']): string =>
  `moved at ${timeText(atMs)}: ${who}${request === null ? '' : ` (${request})`}`
