import { AdminError, sendMessage as send } from '@skua-mq/admin'
import { needed, text, truth, whole } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { table } from '../frame/table.ts'

export const sendMessage = subcommand({
  requests: '105, 106, 310',
  changes: true,
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    body: needed(text('p', 'body', 'body of the message, stored as UTF-8')),
    keys: text('k', 'key', 'keys, joined by blanks'),
    tags: text('c', 'tags', 'tag'),
    broker: text('b', 'broker', 'name of the broker (default: any that may be written)'),
    queueId: whole('i', 'qid', 'queue id; needs -b (default: chosen by the broker)'),
    trace: truth('m', 'msgTraceEnable', 'taken, and without effect here: no trace is sent'),
  },
  run: async ({ session, flags: { topic, body, keys, tags, broker, queueId } }) => {
    if (queueId !== undefined && broker === undefined) throw new AdminError('ARGUMENT', '-i needs a broker: -b name')
    return send(session, { topic, body: Buffer.from(body), keys, tags, brokerName: broker, queueId })
  },
  show: sent => [
    table(
      [
        { title: '#Broker Name', cell: row => row.brokerName },
        { title: '#QID', cell: row => row.queueId, right: true },
        { title: '#Send Result', cell: row => row.sendStatus },
        { title: '#MsgId', cell: row => row.msgId },
      ],
      sent === undefined ? [] : [sent],
    ),
  ],
  exitCode: sent => (sent === undefined || sent.sendStatus === 'SEND_OK' ? 0 : 1),
})
