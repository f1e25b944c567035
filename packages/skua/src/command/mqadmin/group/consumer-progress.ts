import {
  AdminError,
  findConsumers,
  type GroupSummary,
  groupProgress,
  groupSummaries,
  ownerKey,
  type QueueProgress,
  queueOwners,
} from '@skua-mq/admin'
import { text, truth } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { type Block, type Column, emptyLine, lines, table } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

type Row = QueueProgress & { readonly clientId?: string | undefined }

/** Of one group, or of all. */
type Found =
  | { readonly group: string; readonly consumeTps: number; readonly diffTotal: number; readonly queues: readonly Row[] }
  | { readonly groups: readonly GroupSummary[] }

export const consumerProgress = subcommand({
  requests: '206, 105, 106, 208, 203; -s: 307',
  flags: {
    groupName: text('g', 'groupName', 'only this group, queue by queue'),
    topicName: text('t', 'topicName', 'only the queues of this topic'),
    showClientIP: truth('s', 'showClientIP', 'with the member that has each queue'),
  },
  run: async ({ session, flags: { groupName, topicName, showClientIP } }): Promise<Found> => {
    if (groupName === undefined) return { groups: await groupSummaries(session) }
    const progress = await groupProgress(session, groupName, topicName)
    if (progress.queues.length === 0 && (await findConsumers(session, groupName)) === undefined) {
      throw new AdminError(
        'NOT_FOUND',
        `group ${groupName} is not known: it has no offsets, and nobody of it is online`,
      )
    }
    if (showClientIP !== true) return progress
    const owners = await queueOwners(session, groupName)
    return { ...progress, queues: progress.queues.map(row => ({ ...row, clientId: owners.get(ownerKey(row)) })) }
  },
  show: (found, { flags: { showClientIP } }) => {
    if ('groups' in found) return listOf(found.groups)
    return [
      table(showClientIP === true ? [...place, owner, ...distance] : [...place, ...distance], found.queues),
      emptyLine,
      lines(`Consume TPS: ${found.consumeTps.toFixed(2)}`, `Diff Total: ${found.diffTotal}`),
    ]
  },
})

const place: Column<Row>[] = [
  { title: '#Topic', cell: row => row.topic },
  { title: '#Broker Name', cell: row => row.brokerName },
  { title: '#QID', cell: row => row.queueId, right: true },
  { title: '#Broker Offset', cell: row => row.brokerOffset, right: true },
  { title: '#Consumer Offset', cell: row => row.consumerOffset, right: true },
]
const owner: Column<Row> = { title: '#Client IP', cell: row => row.clientId?.split('@', 1)[0] ?? 'N/A' }
const distance: Column<Row>[] = [
  { title: '#Diff', cell: row => row.diff, right: true },
  { title: '#LastTime', cell: row => timeText(row.lastConsumedMs) },
]

function listOf(groups: readonly GroupSummary[]): Block[] {
  const problems = groups.flatMap(({ group, problem }) => (problem === undefined ? [] : [`${group}: ${problem}`]))
  const list = table<GroupSummary>(
    [
      { title: '#Group', cell: row => row.group },
      { title: '#Count', cell: row => row.count, right: true },
      { title: '#Version', cell: row => row.version || '-' },
      { title: '#Type', cell: row => row.type },
      { title: '#Model', cell: row => row.model },
      { title: '#TPS', cell: row => Math.floor(row.consumeTps), right: true },
      { title: '#Diff Total', cell: row => row.diffTotal, right: true },
    ],
    groups,
  )
  return problems.length === 0 ? [list] : [list, emptyLine, lines(...problems)]
}
