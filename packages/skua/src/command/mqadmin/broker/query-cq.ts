import { queueUnits } from '@skua-mq/admin'
import { needed, text, whole } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { emptyLine, lines, table } from '../frame/table.ts'

export const queryCq = subcommand({
  requests: '105, 321',
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    queue: needed(whole('q', 'queue', 'queue id')),
    index: needed(whole('i', 'index', 'queue offset of the first unit')),
    count: whole('c', 'count', 'how many (default: 10)'),
    broker: text('b', 'broker', 'the broker, host:port (default: the first one of the topic)'),
    consumer: text('g', 'consumer', 'tell of each unit whether this group would get it'),
  },
  run: ({ session, flags: { topic, queue, index, count, broker, consumer } }) =>
    queueUnits(session, { topic, queueId: queue, index, count, brokerAddr: broker, consumerGroup: consumer }),
  show: ({ minIndex, maxIndex, units }) => [
    lines(`Queue data: min index ${minIndex}, max index ${maxIndex}`),
    emptyLine,
    table(
      [
        { title: '#Index', cell: row => row.queueOffset, right: true },
        { title: '#Physical Offset', cell: row => row.physicalOffset, right: true },
        { title: '#Size', cell: row => row.size, right: true },
        { title: '#Tags Code', cell: row => row.tagsCode, right: true },
        { title: '#Passes', cell: row => row.passes },
        { title: '#Note', cell: row => row.note ?? '' },
      ],
      units,
    ),
  ],
})
