import { putGroupList } from '@skua-mq/admin'
import { needed, text, whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const updateSubGroupList = subcommand({
  requests: '106, 225',
  notes: 'All of them or none at each broker; what a group leaves out has its default, also where it is there already',
  changes: true,
  flags: {
    ...whereFlags(),
    filename: needed(
      text('f', 'filename', 'file with a JSON list of consumer groups, as RocketMQ’s SubscriptionGroupConfig'),
    ),
  },
  run: async ({ session, flags }) => {
    const file = session.runtime.disk.readFile(flags.filename)
    return putGroupList(session, whereOf(flags), file)
  },
  show: ({ brokers }) => [
    lines(
      ...brokers.map(address => `submit batch of group config to ${address} success, please check the result later.`),
    ),
  ],
})
