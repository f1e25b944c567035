import { type ConnectedClient, consumerConnections, producerConnections } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { type Block, emptyLine, lines, record, table } from '../frame/table.ts'

const clientTable = (clients: readonly ConnectedClient[]): Block =>
  table(
    [
      { title: '#ClientId', cell: row => row.clientId },
      { title: '#ClientAddr', cell: row => row.clientAddr },
      { title: '#Language', cell: row => row.language },
      { title: '#Version', cell: row => row.versionName },
    ],
    clients,
  )

export const consumerConnection = subcommand({
  requests: '105, 203',
  flags: {
    consumerGroup: needed(text('g', 'consumerGroup', 'name of the consumer group')),
    brokerAddr: text('b', 'brokerAddr', 'ask this broker, host:port'),
  },
  run: ({ session, flags }) => consumerConnections(session, flags.consumerGroup, flags.brokerAddr),
  show: ({ clients, subscriptions, consumeType, messageModel, consumeFromWhere }) => [
    clientTable(clients),
    emptyLine,
    lines('Below is subscription:'),
    table(
      [
        { title: '#Topic', cell: row => row.topic },
        { title: '#SubExpression', cell: row => row.subString },
      ],
      subscriptions,
    ),
    emptyLine,
    record([
      ['ConsumeType:', consumeType],
      ['MessageModel:', messageModel],
      ['ConsumeFromWhere:', consumeFromWhere],
    ]),
  ],
})

export const producerConnection = subcommand({
  requests: '105, 204',
  flags: {
    producerGroup: needed(text('g', 'producerGroup', 'name of the producer group')),
    topic: needed(text('t', 'topic', 'a topic that it sends to: the brokers of it are asked')),
  },
  run: ({ session, flags: { producerGroup: group, topic } }) => producerConnections(session, { group, topic }),
  show: clients => [clientTable(clients)],
})
