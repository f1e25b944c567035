import { consumerOffsets } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { table } from '../frame/table.ts'

export const getConsumerStatus = subcommand({
  requests: '105, 223',
  flags: {
    group: needed(text('g', 'group', 'name of the consumer group')),
    topic: needed(text('t', 'topic', 'name of the topic')),
    originClientId: text('i', 'originClientId', 'only this member'),
  },
  run: ({ session, flags: { group, topic, originClientId: clientId } }) =>
    consumerOffsets(session, { group, topic, clientId }),
  show: rows => [
    table(
      [
        { title: '#clientId', cell: row => row.clientId },
        { title: '#brokerName', cell: row => row.brokerName },
        { title: '#queueId', cell: row => row.queueId, right: true },
        { title: '#offset', cell: row => row.offset, right: true },
      ],
      rows,
    ),
  ],
})
