import type { deadGroups } from '../../src/endpoints/dead-letters.ts'
import { countText } from '../format.ts'
import { Link, Loading, Problem, Time } from '../parts/basic.tsx'
import { Filter, matches, Table } from '../parts/table.tsx'
import { type Route, setQuery } from '../route.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

export const DeadPage = ({ route }: { route: Route }) => {
  const { data, error, again } = useAsk<AnswerOf<typeof deadGroups>>('dead', {}, { everyMs: 10_000 })
  const text = route.query['q'] ?? ''
  const rows = (data?.rows ?? []).filter(row => matches(row.group, text))
  return (
    <>
      <h1>{t('deadLetters')}</h1>
      <p class="quiet">{t('deadLettersWhat')}</p>
      <Problem error={error} again={again} />
      <div class="bar">
        <Filter value={text} onChange={q => setQuery({ q })} label={t('filterGroups')} />
      </div>
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <Table
          columns={[
            {
              key: 'group',
              title: t('group'),
              width: 'minmax(12rem, 3fr)',
              by: row => row.group,
              cell: row => <Link to={['dead-letters', row.group]}>{row.group}</Link>,
            },
            {
              key: 'letters',
              title: t('deadLetters'),
              width: '9rem',
              right: true,
              by: row => row.letters,
              cell: row => countText(row.letters),
            },
            {
              key: 'last',
              title: t('lastDied'),
              width: '12rem',
              by: row => row.lastMs,
              cell: row => <Time ms={row.lastMs} />,
            },
          ]}
          rows={rows}
          keyOf={row => row.group}
          order={{ key: 'last', down: true }}
          label={t('deadLetters')}
          empty={t('noDeadGroups')}
        />
      )}
    </>
  )
}
