import type { ResetResult } from '@skua-mq/admin'
import { type Block, table } from '../frame/table.ts'

/** What became of each queue: brokers tell less than a commit by hand. */
export function resetTable({ by, queues }: ResetResult): Block {
  const name = { title: '#brokerName', cell: (row: ResetResult['queues'][number]) => row.brokerName }
  const queue = { title: '#queueId', cell: (row: ResetResult['queues'][number]) => row.queueId, right: true } as const
  if (by === 'broker') return table([name, queue, { title: '#offset', cell: row => row.offset, right: true }], queues)
  return table(
    [
      name,
      queue,
      { title: '#brokerOffset', cell: row => row.brokerOffset, right: true },
      { title: '#consumerOffset', cell: row => row.consumerOffset, right: true },
      { title: '#timestampOffset', cell: row => row.timestampOffset, right: true },
      { title: '#rollbackOffset', cell: row => row.offset, right: true },
    ],
    queues,
  )
}
