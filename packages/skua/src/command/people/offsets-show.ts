import { groupProgress } from '@skua-mq/admin'
import { lines, table } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { countText } from './figures.ts'
import { personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'

/** `skua offsets show GROUP`. */
export const offsetsShow = personCommand({
  run: async ({ session, words: [group = ''] }) => {
    await mustKnow(session, group)
    return (await groupProgress(session, group)).queues
  },
  show: queues =>
    queues.length === 0
      ? [lines('the group has consumed nothing yet')]
      : [
          table(
            [
              { title: 'TOPIC', cell: row => row.topic },
              { title: 'BROKER', cell: row => row.brokerName },
              { title: 'QUEUE', cell: row => row.queueId, right: true },
              { title: 'NEXT', cell: row => row.consumerOffset, right: true },
              { title: 'END', cell: row => row.brokerOffset, right: true },
              { title: 'LAG', cell: row => countText(row.diff), right: true },
              { title: 'LAST CONSUMED', cell: row => (row.lastConsumedMs > 0 ? timeText(row.lastConsumedMs) : '-') },
            ],
            queues,
          ),
        ],
})
