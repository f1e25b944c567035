import { masterNamed, sendTo, topicRoute } from '@skua-mq/admin'
import { needed, text, whole } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { emptyLine, lines, table } from '../frame/table.ts'

interface Row {
  readonly brokerName: string
  readonly queueId: number
  readonly isSent: boolean
  readonly rt: number
  readonly problem?: string
}

export const checkMsgSendRT = subcommand({
  requests: '105, 106, 310',
  notes: 'Sends to the queues of the topic in turn',
  changes: true,
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    amount: whole('a', 'amount', 'how many (default: 100)'),
    size: whole('s', 'size', 'bytes of each (default: 128)'),
  },
  run: async ({ session, flags: { topic, amount = 100, size = 128 } }) => {
    const { queues } = await topicRoute(session, topic)
    const writable = queues.flatMap(({ brokerName, writeQueueNums }) =>
      Array.from({ length: writeQueueNums }, (_, queueId) => ({ brokerName, queueId })),
    )
    const addresses = new Map<string, string>()
    for (const { brokerName } of queues) addresses.set(brokerName, (await masterNamed(session, brokerName)).address)
    const body = Buffer.alloc(size, 'a')
    const { clock } = session.runtime
    const rows: Row[] = []
    for (let i = 0; i < amount && writable.length > 0; i++) {
      const queue = writable[i % writable.length]!
      const begun = clock.monotonic()
      try {
        await sendTo(session, addresses.get(queue.brokerName)!, { topic, body, ...queue })
        rows.push({ ...queue, isSent: true, rt: clock.monotonic() - begun })
      } catch (error) {
        rows.push({ ...queue, isSent: false, rt: clock.monotonic() - begun, problem: (error as Error).message })
      }
    }
    // The first one makes the connection.
    const timed = rows.slice(1)
    return { averageRt: timed.reduce((sum, { rt }) => sum + rt, 0) / Math.max(1, timed.length), sends: rows }
  },
  show: ({ averageRt, sends }) => [
    table(
      [
        { title: '#Broker Name', cell: row => row.brokerName },
        { title: '#QID', cell: row => row.queueId, right: true },
        { title: '#Send Result', cell: row => row.isSent },
        { title: '#RT', cell: row => row.rt.toFixed(2), right: true },
        { title: '#Problem', cell: row => row.problem ?? '' },
      ],
      sends,
    ),
    emptyLine,
    lines(`Avg RT: ${averageRt.toFixed(2)}`),
  ],
  exitCode: ({ sends }) => (sends.every(({ isSent }) => isSent) ? 0 : 1),
})
