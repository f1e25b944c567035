import { useEffect, useState } from 'preact/hooks'
import type { deadList } from '../../src/endpoints/dead-letters.ts'
import { type ApiError, ask } from '../api.ts'
import { skua } from '../command.ts'
import { Command, idText, Link, Loading, Problem, Time } from '../parts/basic.tsx'
import { LetterForm } from '../parts/letter-form.tsx'
import { ResendForm } from '../parts/resend-form.tsx'
import { type Column, Table } from '../parts/table.tsx'
import type { Route } from '../route.ts'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'

type Letter = AnswerOf<typeof deadList>['rows'][number]

export const DeadGroupPage = ({ route }: { route: Route }) => {
  const group = route.path[1] ?? ''
  const [rows, setRows] = useState<readonly Letter[] | undefined>(undefined)
  const [cursor, setCursor] = useState<Readonly<Record<string, number>> | undefined>(undefined)
  const [isEnd, setEnd] = useState(false)
  const [error, setError] = useState<ApiError | undefined>(undefined)
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const [open, setOpen] = useState<'some' | 'all' | { readonly id: string } | undefined>(undefined)
  const load = async (from: typeof cursor, before: readonly Letter[]) => {
    setError(undefined)
    try {
      const got = await ask<AnswerOf<typeof deadList>>('dead/letters', { group, limit: 50, cursor: from })
      setRows([...before, ...got.rows])
      setCursor(got.cursor)
      setEnd(got.isEnd)
    } catch (problem) {
      setError(problem as ApiError)
    }
  }
  useEffect(() => {
    void load(undefined, [])
  }, [group])
  const pick = (id: string, is: boolean) => {
    const next = new Set(picked)
    if (is) next.add(id)
    else next.delete(id)
    setPicked(next)
  }
  return (
    <>
      <div class="title">
        <h1>
          <Link to={['dead']}>{t('deadLetters')}</Link> / {group}
        </h1>
        {mayChange() && rows !== undefined && rows.length > 0 ? (
          <div class="actions">
            <button type="button" class="primary" disabled={picked.size === 0} onClick={() => setOpen('some')}>
              {t('resendPicked', { count: picked.size })}
            </button>
            <button type="button" onClick={() => setOpen('all')}>
              {t('resendAll')}
            </button>
          </div>
        ) : null}
      </div>
      <Command line={skua('dlq', 'list', group)} />
      <Problem error={error} again={() => load(undefined, [])} />
      {rows === undefined ? (
        <Loading unless={error} />
      ) : (
        <Table
          columns={columnsOf(picked, pick, id => setOpen({ id }))}
          rows={rows}
          keyOf={({ row }) => row.offsetMsgId}
          label={t('deadLetters')}
          empty={t('noDeadLetters')}
        />
      )}
      {rows !== undefined && !isEnd ? (
        <div class="buttons left">
          <button type="button" onClick={() => load(cursor, rows)}>
            {t('more')}
          </button>
        </div>
      ) : null}
      {open === 'some' || open === 'all' ? (
        <ResendForm group={group} ids={open === 'all' ? undefined : [...picked]} onClose={() => setOpen(undefined)} />
      ) : null}
      {typeof open === 'object' ? <LetterForm group={group} id={open.id} onClose={() => setOpen(undefined)} /> : null}
    </>
  )
}

const columnsOf = (
  picked: ReadonlySet<string>,
  pick: (id: string, is: boolean) => void,
  open: (id: string) => void,
): readonly Column<Letter>[] => [
  {
    key: 'pick',
    title: '',
    width: '2.5rem',
    cell: ({ row }) => (
      <input
        type="checkbox"
        aria-label={t('pick', { id: row.msgId })}
        checked={picked.has(row.offsetMsgId)}
        onChange={event => pick(row.offsetMsgId, event.currentTarget.checked)}
      />
    ),
  },
  {
    key: 'id',
    title: t('messageId'),
    width: '9rem',
    cell: ({ row }) => (
      <button type="button" class="link" title={row.msgId} onClick={() => open(row.offsetMsgId)}>
        <code>{idText(row.msgId)}</code>
      </button>
    ),
  },
  {
    key: 'died',
    title: t('died'),
    width: '11rem',
    by: ({ row }) => row.storedAtMs,
    cell: ({ row }) => <Time ms={row.storedAtMs} />,
  },
  {
    key: 'topic',
    title: t('firstTopic'),
    width: 'minmax(8rem, 1fr)',
    by: ({ originTopic }) => originTopic,
    cell: ({ originTopic }) =>
      originTopic === null ? (
        <span class="quiet">{t('notTold')}</span>
      ) : (
        <Link to={['topic', originTopic]}>{originTopic}</Link>
      ),
  },
  {
    key: 'tries',
    title: t('tries'),
    width: '5rem',
    right: true,
    by: ({ row }) => row.reconsumeTimes,
    cell: ({ row }) => row.reconsumeTimes,
  },
  { key: 'keys', title: t('keys'), width: 'minmax(6rem, 1fr)', cell: ({ row }) => row.keys.join(' ') },
  {
    key: 'body',
    title: t('body'),
    width: 'minmax(12rem, 3fr)',
    cell: ({ row }) => (
      <code class="preview" title={row.preview}>
        {row.preview}
      </code>
    ),
  },
]
