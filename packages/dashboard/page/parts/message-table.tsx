import { useEffect, useState } from 'preact/hooks'
import type { messages } from '../../src/endpoints/messages.ts'
import { type ApiError, ask, type Params } from '../api.ts'
import { bytesText } from '../format.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { Badge, Loading, MessageLink, Problem, Time } from './basic.tsx'
import { type Column, Table } from './table.tsx'

export type MessageRow = AnswerOf<typeof messages>['rows'][number]

/** Messages that are kept in the tab; more are in another place of the topic. */
const maxKept = 5_000

export const placeText = (row: MessageRow): string => `${row.brokerName}/${row.queueId} @${row.queueOffset}`

export const messageColumns = (): readonly Column<MessageRow>[] => [
  {
    key: 'id',
    title: t('messageId'),
    width: '9rem',
    cell: row => <MessageLink id={row.offsetMsgId} shown={row.msgId} topic={row.topic} />,
  },
  {
    key: 'stored',
    title: t('stored'),
    width: '10.5rem',
    by: row => row.storedAtMs,
    cell: row => <Time ms={row.storedAtMs} />,
  },
  {
    key: 'queue',
    title: t('place'),
    width: 'minmax(9rem, 1fr)',
    by: row => `${row.brokerName}/${row.queueId}`,
    cell: row => <span title={placeText(row)}>{placeText(row)}</span>,
  },
  {
    key: 'tag',
    title: t('tag'),
    width: '6rem',
    by: row => row.tags,
    cell: row => (row.tags === null ? '' : <Badge title={row.tags}>{row.tags}</Badge>),
  },
  {
    key: 'keys',
    title: t('keys'),
    width: 'minmax(6rem, 1fr)',
    cell: row => <span title={row.keys.join(' ')}>{row.keys.join(' ')}</span>,
  },
  {
    key: 'body',
    title: t('body'),
    width: 'minmax(12rem, 3fr)',
    cell: row => (
      <>
        {row.cutBytes === 0 ? null : (
          <span class="cut" title={t('cutWhat', { size: bytesText(row.cutBytes) })}>
            {t('cutMark', { size: bytesText(row.cutBytes) })}
          </span>
        )}
        <code class="preview" title={row.preview}>
          {row.preview}
        </code>
      </>
    ),
  },
  {
    key: 'size',
    title: t('size'),
    width: '5.5rem',
    right: true,
    by: row => row.size,
    cell: row => bytesText(row.size),
  },
]

/** Messages of a topic, page by page. */
export const MessageList = ({ params }: { params: Params }) => {
  const key = JSON.stringify(params)
  const [rows, setRows] = useState<readonly MessageRow[]>([])
  const [cursor, setCursor] = useState<Readonly<Record<string, number>> | undefined>(undefined)
  const [state, setState] = useState<'loading' | 'more' | 'end'>('loading')
  const [error, setError] = useState<ApiError | undefined>(undefined)
  const load = async (
    from: Readonly<Record<string, number>> | undefined,
    before: readonly MessageRow[],
    signal?: AbortSignal,
  ) => {
    setState('loading')
    setError(undefined)
    try {
      const got = await ask<AnswerOf<typeof messages>>('messages', { ...params, limit: 50, cursor: from }, signal)
      if (signal?.aborted) return
      const all = [...before, ...got.rows]
      setRows(all)
      setCursor(got.cursor)
      setState(got.isEnd || all.length >= maxKept ? 'end' : 'more')
    } catch (problem) {
      if (signal?.aborted) return
      setError(problem as ApiError)
      setState('end')
    }
  }
  useEffect(() => {
    const gone = new AbortController()
    setRows([])
    void load(undefined, [], gone.signal)
    return () => gone.abort()
  }, [key])
  return (
    <>
      <Problem error={error} again={() => load(cursor, rows)} />
      {rows.length === 0 && state === 'loading' ? (
        <Loading />
      ) : (
        <Table
          columns={messageColumns()}
          rows={rows}
          keyOf={row => `${row.topic} ${placeText(row)} ${row.msgId}`}
          label={t('messages')}
          empty={t('noMessages')}
        />
      )}
      {state === 'more' ? (
        <div class="buttons left">
          <button type="button" onClick={() => load(cursor, rows)}>
            {t('more')}
          </button>
          <span class="quiet">{t('shownCount', { count: rows.length })}</span>
        </div>
      ) : null}
    </>
  )
}
