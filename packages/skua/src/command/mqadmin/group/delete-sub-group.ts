import { deleteGroup } from '@skua-mq/admin'
import { needed, text, truth, whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const deleteSubGroup = subcommand({
  requests: '106, 207; -c: 215, 216, 102',
  notes: 'With -c its retries and dead letters are deleted, too',
  changes: true,
  flags: {
    ...whereFlags(),
    groupName: needed(text('g', 'groupName', 'name of the consumer group')),
    removeOffset: truth('r', 'removeOffset', 'forget where it stands in its queues (default: false)'),
  },
  run: async ({ session, flags }) => {
    const { groupName: group, removeOffset } = flags
    return { group, brokers: await deleteGroup(session, whereOf(flags), { group, removeOffset }) }
  },
  show: ({ group, brokers }, { flags: { clusterName } }) => {
    const where = clusterName === undefined ? '' : ` in cluster [${clusterName}]`
    const done = brokers.map(
      address => `delete subscription group [${group}] from broker [${address}]${where} success.`,
    )
    return [lines(...done)]
  },
})
