import type { resetPreview } from '../../src/endpoints/offsets.ts'
import { countText } from '../format.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { type Column, Table } from './table.tsx'

export type PlannedQueue = AnswerOf<typeof resetPreview>['queues'][number]

const meaning = ({ from, to }: PlannedQueue): string => {
  if (from === null) return t('neverConsumed')
  if (to === from) return t('stays')
  return to < from ? t('again_n', { count: countText(from - to) }) : t('never_n', { count: countText(to - from) })
}

const columns = (): readonly Column<PlannedQueue>[] => [
  { key: 'topic', title: t('topic'), width: 'minmax(8rem, 1fr)', cell: row => row.topic },
  { key: 'queue', title: t('queue'), width: 'minmax(8rem, 1fr)', cell: row => `${row.brokerName}/${row.queueId}` },
  { key: 'from', title: t('fromOffset'), width: '6.5rem', right: true, cell: row => countText(row.from) },
  { key: 'to', title: t('toOffset'), width: '6.5rem', right: true, cell: row => countText(row.to) },
  { key: 'means', title: t('meaning'), width: 'minmax(9rem, 1.2fr)', cell: meaning },
  {
    key: 'holds',
    title: t('holds'),
    width: '9rem',
    cell: row => (row.end === row.first ? '–' : `${countText(row.first)} – ${countText(row.end - 1)}`),
  },
]

/** What a move means, queue by queue. */
export const PlanTable = ({ queues }: { queues: readonly PlannedQueue[] }) => (
  <Table
    columns={columns()}
    rows={queues}
    keyOf={row => `${row.topic} ${row.brokerName}/${row.queueId}`}
    label={t('preview')}
    maxHeight="34vh"
  />
)
