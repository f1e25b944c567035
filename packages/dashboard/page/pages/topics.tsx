import { useMemo, useState } from 'preact/hooks'
import type { topicFigures, topics } from '../../src/endpoints/topics.ts'
import { countText, permText } from '../format.ts'
import { Badge, Link, Loading, Notes, Problem, Time } from '../parts/basic.tsx'
import { type Column, Filter, matches, Table } from '../parts/table.tsx'
import { TopicForm } from '../parts/topic-form.tsx'
import { type Route, setQuery } from '../route.ts'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk, useKnown, useSeen } from '../use.ts'

type Row = AnswerOf<typeof topics>['rows'][number]
type Figures = AnswerOf<typeof topicFigures>['rows'][number]
type Kind = Row['kind']

const kinds: readonly Kind[] = ['user', 'retry', 'dead', 'own']
const maxFigures = 60

export const TopicsPage = ({ route }: { route: Route }) => {
  const { data, error, again } = useAsk<AnswerOf<typeof topics>>('topics', {}, { everyMs: 15_000 })
  const text = route.query['q'] ?? ''
  const kind = (route.query['kind'] as Kind | undefined) ?? 'user'
  const [isMaking, setMaking] = useState(false)
  const { names: asked, seen } = useSeen<Row>(({ topic }) => topic, maxFigures)
  const figures = useAsk<AnswerOf<typeof topicFigures>>(
    'topics/figures',
    { topics: asked },
    { everyMs: 5_000, when: asked.length > 0 },
  )
  const known = useKnown(figures.data?.rows, ({ topic }) => topic)
  const rows = useMemo(
    () => (data?.rows ?? []).filter(row => row.kind === kind && matches(row.topic, text)),
    [data, kind, text],
  )
  const counts = useMemo(() => {
    const all = new Map<Kind, number>()
    for (const row of data?.rows ?? []) all.set(row.kind, (all.get(row.kind) ?? 0) + 1)
    return all
  }, [data])
  return (
    <>
      <div class="title">
        <h1>{t('topics')}</h1>
        {mayChange() ? (
          <button type="button" class="primary" onClick={() => setMaking(true)}>
            {t('newTopic')}
          </button>
        ) : null}
      </div>
      <Problem error={error} again={again} />
      <Notes notes={data?.problems} />
      <div class="bar">
        <Filter value={text} onChange={q => setQuery({ q })} label={t('filterTopics')} />
        <fieldset class="choice" aria-label={t('kind')}>
          {kinds.map(one => (
            <button
              type="button"
              key={one}
              class={one === kind ? 'now' : ''}
              aria-pressed={one === kind}
              onClick={() => setQuery({ kind: one === 'user' ? undefined : one })}
            >
              {t(`kind_${one}`)} <span class="quiet">{countText(counts.get(one) ?? 0)}</span>
            </button>
          ))}
        </fieldset>
      </div>
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <Table
          columns={columnsOf(known)}
          rows={rows}
          keyOf={row => row.topic}
          onSeen={seen}
          label={t('topics')}
          empty={text === '' ? t('noTopics') : t('noMatch')}
        />
      )}
      {isMaking ? <TopicForm onClose={() => setMaking(false)} onDone={again} /> : null}
    </>
  )
}

const columnsOf = (known: ReadonlyMap<string, Figures>): readonly Column<Row>[] => [
  {
    key: 'topic',
    title: t('topic'),
    width: 'minmax(13rem, 3fr)',
    by: row => row.topic,
    cell: row => (
      <Link to={['topic', row.topic]} title={row.topic}>
        {row.topic}
      </Link>
    ),
  },
  {
    key: 'type',
    title: t('type'),
    width: '7.5rem',
    by: row => row.type,
    cell: row => (row.type === 'UNSPECIFIED' ? <span class="quiet">–</span> : <Badge>{row.type}</Badge>),
  },
  {
    key: 'queues',
    title: t('queues'),
    width: '5rem',
    right: true,
    by: row => row.writeQueues,
    cell: row =>
      row.readQueues === row.writeQueues ? countText(row.readQueues) : `${row.readQueues} / ${row.writeQueues}`,
  },
  {
    key: 'brokers',
    title: t('brokers'),
    width: 'minmax(6.5rem, 1fr)',
    by: row => row.brokers.length,
    cell: row => <span title={row.brokers.join(', ')}>{row.brokers.join(', ')}</span>,
  },
  { key: 'perm', title: t('permission'), width: '6rem', by: row => row.perm, cell: row => permText(row.perm) },
  {
    key: 'messages',
    title: t('messages'),
    width: '7rem',
    right: true,
    cell: row => countText(known.get(row.topic)?.messages),
  },
  {
    key: 'rate',
    title: t('inRate'),
    width: '5.5rem',
    right: true,
    cell: row => countText(known.get(row.topic)?.inTps),
  },
  {
    key: 'last',
    title: t('lastWritten'),
    width: '7.5rem',
    cell: row => <Time ms={known.get(row.topic)?.lastWrittenMs} ago />,
  },
]
