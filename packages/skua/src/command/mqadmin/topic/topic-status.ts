import { topicStats } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { table } from '../frame/table.ts'
import { timeTextMs } from '../frame/time-text.ts'

export const topicStatus = subcommand({
  requests: '105, 202',
  flags: { topic: needed(text('t', 'topic', 'name of the topic')) },
  run: ({ session, flags }) => topicStats(session, flags.topic),
  show: rows => [
    table(
      [
        { title: '#Broker Name', cell: row => row.brokerName },
        { title: '#QID', cell: row => row.queueId, right: true },
        { title: '#Min Offset', cell: row => row.minOffset, right: true },
        { title: '#Max Offset', cell: row => row.maxOffset, right: true },
        { title: '#Last Updated', cell: row => (row.lastUpdateMs > 0 ? timeTextMs(row.lastUpdateMs) : '') },
      ],
      rows,
    ),
  ],
})
