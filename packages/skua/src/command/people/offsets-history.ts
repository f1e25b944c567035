import { type OffsetHistory, type OffsetMove, offsetHistory } from '@skua-mq/admin'
import { lines, table } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { type Given, personCommand } from './frame.ts'
import { groupWord } from './group-word.ts'

interface Options {
  readonly group?: string
  readonly topic?: string
  readonly limit: number
}

/** `skua offsets history -g GROUP`. A group that is deleted has a history, too. */
export const offsetsHistory = personCommand({
  run: ({ session, words, options }: Given<Options>): Promise<OffsetHistory> => {
    const { topic, limit } = options
    return offsetHistory(session, { group: groupWord(words, options), topic, limit })
  },
  show: ({ moves, without }, { words, options }) => [
    moves.length === 0 ? lines(`nobody moved an offset of ${groupWord(words, options)}`) : moveTable(moves),
    lines(...without.map(address => `${address} keeps no history: only Skua's brokers do`)),
  ],
})

const moveTable = (moves: readonly OffsetMove[]) =>
  table(
    [
      { title: 'WHEN', cell: row => timeText(row.atMs) },
      { title: 'TOPIC', cell: row => row.topic },
      { title: 'BROKER', cell: row => row.address },
      { title: 'QUEUE', cell: row => row.queueId, right: true },
      { title: 'FROM', cell: row => row.from, right: true },
      { title: '', cell: () => '→' },
      { title: 'TO', cell: row => row.to, right: true },
      { title: 'BY', cell: row => row.who },
      { title: 'REQUEST', cell: row => row.request },
    ],
    moves,
  )
