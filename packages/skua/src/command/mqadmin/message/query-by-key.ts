import { messagesByKey } from '@skua-mq/admin'
import { needed, text, time, whole } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { table } from '../frame/table.ts'

export const queryMsgByKey = subcommand({
  requests: '105, 12',
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    msgKey: needed(text('k', 'msgKey', 'key of the messages')),
    beginTimestamp: time('b', 'beginTimestamp', 'stored at this time or later'),
    endTimestamp: time('e', 'endTimestamp', 'stored at this time or before'),
    maxNum: whole('m', 'maxNum', 'at most so many of each broker (default: 64)'),
  },
  run: ({ session, flags: { topic, msgKey, beginTimestamp, endTimestamp, maxNum } }) =>
    messagesByKey(session, { topic, key: msgKey, maxNum, beginMs: beginTimestamp, endMs: endTimestamp }),
  show: messages => [
    table(
      [
        { title: '#Message ID', cell: row => row.msgId },
        { title: '#QID', cell: row => row.queueId, right: true },
        { title: '#Offset', cell: row => row.queueOffset, right: true },
      ],
      messages,
    ),
  ],
})
