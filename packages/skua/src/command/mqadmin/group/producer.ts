import { producers } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { table } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

export const producer = subcommand({
  requests: '328',
  flags: { broker: needed(text('b', 'broker', 'the broker, host:port')) },
  run: ({ session, flags }) => producers(session, flags.broker),
  show: rows => [
    table(
      [
        { title: '#Group', cell: row => row.group },
        { title: '#ClientId', cell: row => row.clientId },
        { title: '#ClientAddr', cell: row => row.clientAddr },
        { title: '#Language', cell: row => row.language },
        { title: '#Version', cell: row => row.versionName },
        { title: '#LastUpdate', cell: row => timeText(row.lastUpdateMs) },
      ],
      rows,
    ),
  ],
})
