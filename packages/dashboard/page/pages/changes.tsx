import type { changes } from '../../src/endpoints/overview.ts'
import { Badge, Loading, Notes, Problem, Time } from '../parts/basic.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

type Change = AnswerOf<typeof changes>['rows'][number]

/** Who changed what and when, by this dashboard. */
export const ChangesPage = () => {
  const { data, error, again } = useAsk<AnswerOf<typeof changes>>('changes', {}, { everyMs: 5_000 })
  return (
    <>
      <h1>{t('changes')}</h1>
      <p class="quiet">
        {t('changesWhat')}{' '}
        {data === undefined
          ? null
          : data.file === null
            ? t('changesInMemory')
            : t('changesInFile', { file: data.file })}
      </p>
      <Notes notes={data?.problems} />
      <Problem error={error} again={again} />
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <Table
          columns={columns()}
          rows={data.rows}
          keyOf={row => `${row.atMs} ${row.action} ${row.what}`}
          order={{ key: 'at', down: true }}
          label={t('changes')}
          empty={t('noChanges')}
        />
      )}
    </>
  )
}

const columns = (): readonly Column<Change>[] => [
  { key: 'at', title: t('when'), width: '9.5rem', by: row => row.atMs, cell: row => <Time ms={row.atMs} /> },
  {
    key: 'who',
    title: t('who'),
    width: '8rem',
    by: row => row.who,
    cell: row => <span title={row.from}>{row.who}</span>,
  },
  { key: 'cluster', title: t('cluster'), width: '8rem', by: row => row.cluster, cell: row => row.cluster },
  { key: 'action', title: t('action'), width: '9rem', by: row => row.action, cell: row => <code>{row.action}</code> },
  {
    key: 'what',
    title: t('what'),
    width: 'minmax(14rem, 3fr)',
    cell: row => (
      <code class="preview" title={row.what}>
        {row.what}
      </code>
    ),
  },
  {
    key: 'done',
    title: t('result'),
    width: 'minmax(8rem, 1fr)',
    by: row => row.problem ?? '',
    cell: row =>
      row.problem === null ? (
        <Badge tone="good">{t('done')}</Badge>
      ) : (
        <Badge tone="bad" title={row.problem}>
          {row.problem}
        </Badge>
      ),
  },
]
