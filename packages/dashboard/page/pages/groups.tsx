import { useMemo, useState } from 'preact/hooks'
import type { groupMembers, groups } from '../../src/endpoints/groups.ts'
import { countText, modeText } from '../format.ts'
import { Badge, Link, Loading, Notes, Problem, Time } from '../parts/basic.tsx'
import { GroupForm } from '../parts/group-form.tsx'
import { type Column, Filter, matches, Table } from '../parts/table.tsx'
import { type Route, setQuery } from '../route.ts'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk, useKnown, useSeen } from '../use.ts'

type Row = AnswerOf<typeof groups>['rows'][number]
type Members = AnswerOf<typeof groupMembers>['rows'][number]
const maxSeen = 60

export const GroupsPage = ({ route }: { route: Route }) => {
  const { data, error, again } = useAsk<AnswerOf<typeof groups>>('groups', {}, { everyMs: 10_000 })
  const text = route.query['q'] ?? ''
  const isAll = route.query['all'] === '1'
  const [isMaking, setMaking] = useState(false)
  const { names: asked, seen } = useSeen<Row>(({ group }) => group, maxSeen)
  const members = useAsk<AnswerOf<typeof groupMembers>>(
    'groups/members',
    { groups: asked },
    { everyMs: 5_000, when: asked.length > 0 },
  )
  const known = useKnown(members.data?.rows, ({ group }) => group)
  const rows = useMemo(
    () =>
      (data?.rows ?? []).filter(
        row => (isAll || !row.isOwn) && (matches(row.group, text) || row.topics.some(topic => matches(topic, text))),
      ),
    [data, isAll, text],
  )
  return (
    <>
      <div class="title">
        <h1>{t('groups')}</h1>
        {mayChange() ? (
          <button type="button" class="primary" onClick={() => setMaking(true)}>
            {t('newGroup')}
          </button>
        ) : null}
      </div>
      <Problem error={error} again={again} />
      <Notes notes={data?.problems} />
      <div class="bar">
        <Filter value={text} onChange={q => setQuery({ q })} label={t('filterGroups')} />
        <label class="check">
          <input
            type="checkbox"
            checked={isAll}
            onChange={event => setQuery({ all: event.currentTarget.checked ? '1' : undefined })}
          />{' '}
          {t('showOwnGroups')}
        </label>
      </div>
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <Table
          columns={columnsOf(known)}
          rows={rows}
          keyOf={row => row.group}
          order={{ key: 'lag', down: true }}
          onSeen={seen}
          label={t('groups')}
          empty={text === '' ? t('noGroups') : t('noMatch')}
        />
      )}
      {isMaking ? <GroupForm onClose={() => setMaking(false)} onDone={again} /> : null}
    </>
  )
}

const State = ({ row, members }: { row: Row; members: Members | undefined }) => {
  if (!row.enabled) return <Badge tone="bad">{t('disabled')}</Badge>
  if (members === undefined) return <span class="quiet">…</span>
  if (members.members === null) return <Badge tone="warn">{t('unknown')}</Badge>
  return members.members === 0 ? (
    <Badge>{t('offline')}</Badge>
  ) : (
    <Badge tone="good">{t('online', { count: members.members })}</Badge>
  )
}

/** What is looked for most comes first, so that 400 px show it. */
const columnsOf = (known: ReadonlyMap<string, Members>): readonly Column<Row>[] => [
  {
    key: 'group',
    title: t('group'),
    width: 'minmax(8.5rem, 2fr)',
    by: row => row.group,
    cell: row => (
      <Link to={['group', row.group]} title={row.group}>
        {row.group}
      </Link>
    ),
  },
  {
    key: 'lag',
    title: t('lag'),
    width: '5.5rem',
    right: true,
    by: row => row.lag,
    cell: row => (row.lag !== null && row.lag > 0 ? <strong>{countText(row.lag)}</strong> : countText(row.lag)),
  },
  {
    key: 'age',
    title: t('oldestConsumed'),
    width: '6.5rem',
    by: row => row.oldestMs,
    cell: row => <Time ms={row.oldestMs} ago />,
  },
  { key: 'state', title: t('state'), width: '7.5rem', cell: row => <State row={row} members={known.get(row.group)} /> },
  {
    key: 'topics',
    title: t('topics'),
    width: 'minmax(9rem, 2fr)',
    by: row => row.topics.length,
    cell: row => <Topics topics={row.topics} />,
  },
  {
    key: 'mode',
    title: t('mode'),
    width: '8rem',
    cell: row => modeText(known.get(row.group)?.mode ?? ''),
  },
  {
    key: 'version',
    title: t('version'),
    width: '6.5rem',
    cell: row => known.get(row.group)?.versions.join(', ') || <span class="quiet">–</span>,
  },
]

const Topics = ({ topics }: { topics: readonly string[] }) => {
  const shown = topics.filter(topic => !topic.startsWith('%'))
  return <span title={shown.join(', ')}>{shown.join(', ')}</span>
}
