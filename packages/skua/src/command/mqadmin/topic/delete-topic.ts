import { deleteTopic as remove } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const deleteTopic = subcommand({
  requests: '106, 215, 216, 102',
  notes: 'Its messages are gone with it',
  changes: true,
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    clusterName: needed(text('c', 'clusterName', 'cluster that it is deleted from')),
  },
  run: async ({ session, flags: { topic, clusterName } }) => ({
    topic,
    clusterName,
    ...(await remove(session, { topic, clusterName })),
  }),
  show: ({ topic, clusterName }) => [
    lines(
      `delete topic [${topic}] from cluster [${clusterName}] success.`,
      `delete topic [${topic}] from NameServer success.`,
    ),
  ],
})
