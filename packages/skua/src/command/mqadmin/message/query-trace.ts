import { messageTrace, type TraceStep } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines, table } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

export const queryMsgTraceById = subcommand({
  requests: '105, 12',
  flags: {
    msgId: needed(text('i', 'msgId', 'unique id of the message')),
    traceTopic: text('t', 'traceTopic', 'topic of the traces (default: that of the system)'),
  },
  run: ({ session, flags: { msgId, traceTopic } }) => messageTrace(session, { msgId, topic: traceTopic }),
  show: steps =>
    steps.length === 0
      ? [lines('no trace: clients tell traces only where they are told to (enableMsgTrace)')]
      : [
          table<TraceStep>(
            [
              { title: '#Type', cell: row => row.type },
              { title: '#Group', cell: row => row.group },
              { title: '#ClientHost', cell: row => row.clientHost },
              { title: '#Time', cell: row => timeText(row.atMs) },
              { title: '#CostTimes', cell: row => `${row.costMs}ms`, right: true },
              { title: '#Status', cell: row => row.status },
            ],
            steps,
          ),
        ],
})
