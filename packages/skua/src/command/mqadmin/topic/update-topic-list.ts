import { putTopicList } from '@skua-mq/admin'
import { needed, text, whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const updateTopicList = subcommand({
  requests: '106, 18',
  notes: 'All of them or none at each broker; what a topic leaves out has its default, also where it is there already',
  changes: true,
  flags: {
    ...whereFlags(),
    filename: needed(text('f', 'filename', 'file with a JSON list of topics, as RocketMQ’s TopicConfig')),
  },
  run: async ({ session, flags }) => {
    const file = session.runtime.disk.readFile(flags.filename)
    return putTopicList(session, whereOf(flags), file)
  },
  show: ({ brokers }) => [
    lines(
      ...brokers.map(address => `submit batch of topic config to ${address} success, please check the result later.`),
    ),
  ],
})
