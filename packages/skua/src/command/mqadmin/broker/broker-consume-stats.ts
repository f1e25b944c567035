import { brokerConsumeStats as statsOf } from '@skua-mq/admin'
import { needed, text, truth, whole } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { emptyLine, lines, table } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

export const brokerConsumeStats = subcommand({
  requests: '317',
  flags: {
    brokerAddr: needed(text('b', 'brokerAddr', 'the broker, host:port')),
    timeoutMillis: whole('t', 'timeoutMillis', 'longest wait for the answer (default: 50000)'),
    level: whole('l', 'level', 'only queues in which more messages wait (default: 0: all)'),
    order: truth('o', 'order', 'only groups that consume in order'),
  },
  run: async ({ session, flags: { brokerAddr, timeoutMillis = 50_000, level = 0, order = false } }) => {
    const rows = await statsOf(session, brokerAddr, { isOrder: order, timeoutMs: timeoutMillis })
    const diffTotal = rows.reduce((sum, { diff }) => sum + diff, 0)
    return { diffTotal, queues: level > 0 ? rows.filter(({ diff }) => diff >= level) : rows }
  },
  show: ({ diffTotal, queues }) => [
    table(
      [
        { title: '#Topic', cell: row => row.topic },
        { title: '#Group', cell: row => row.group },
        { title: '#Broker Name', cell: row => row.brokerName },
        { title: '#QID', cell: row => row.queueId, right: true },
        { title: '#Broker Offset', cell: row => row.brokerOffset, right: true },
        { title: '#Consumer Offset', cell: row => row.consumerOffset, right: true },
        { title: '#Diff', cell: row => row.diff, right: true },
        { title: '#LastTime', cell: row => timeText(row.lastConsumedMs) },
      ],
      queues,
    ),
    emptyLine,
    lines(`Diff Total: ${diffTotal}`),
  ],
})
