import { topicClusters } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const topicClusterList = subcommand({
  requests: '105',
  flags: { topic: needed(text('t', 'topic', 'name of the topic')) },
  run: ({ session, flags }) => topicClusters(session, flags.topic),
  show: clusters => [lines(...clusters)],
})
