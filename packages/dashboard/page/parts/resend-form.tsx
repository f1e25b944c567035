import { useEffect, useRef, useState } from 'preact/hooks'
import type { deadResend } from '../../src/endpoints/dead-letters.ts'
import { type ApiError, events, type Params } from '../api.ts'
import { resendCommand } from '../commands.ts'
import { t } from '../text/text.ts'
import type { EventOf } from '../types.ts'
import { Badge, Command, Dialog, Field, Link, Problem, TypedName } from './basic.tsx'
import { type Column, Table } from './table.tsx'

type Resent = EventOf<typeof deadResend>

/** Runs a resend: a result for each message as it comes, and an end before the end. */
export function useResend() {
  const [results, setResults] = useState<readonly Resent[]>([])
  const [state, setState] = useState<'ready' | 'running' | 'done'>('ready')
  const [error, setError] = useState<ApiError | undefined>(undefined)
  const running = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => running.current?.abort(), [])
  const run = async (params: Params) => {
    const own = new AbortController()
    running.current = own
    setState('running')
    setError(undefined)
    try {
      for await (const one of events<Resent>('dead/resend', params, { signal: own.signal, method: 'POST' }))
        setResults(before => [...before, one])
    } catch (problem) {
      if (!own.signal.aborted) setError(problem as ApiError)
    } finally {
      setState('done')
    }
  }
  return { results, state, error, run, stop: () => running.current?.abort() }
}

const columns = (): readonly Column<Resent>[] => [
  {
    key: 'status',
    title: t('result'),
    width: '9rem',
    cell: row => <Badge tone={row.problem === null ? 'good' : 'bad'}>{row.status}</Badge>,
  },
  { key: 'id', title: t('messageId'), width: 'minmax(10rem, 1fr)', cell: row => <span title={row.id}>{row.id}</span> },
  {
    key: 'new',
    title: t('newMessage'),
    width: 'minmax(10rem, 1fr)',
    cell: row =>
      row.newId === null ? (
        <span title={row.problem ?? ''}>{row.problem}</span>
      ) : (
        <Link to={['message', row.newId]} query={{ topic: row.topic ?? '' }}>
          {row.newId}
        </Link>
      ),
  },
]

export const Results = ({ results, state }: { results: readonly Resent[]; state: string }) =>
  results.length === 0 ? null : (
    <>
      <div class="progress" role="status">
        <progress max={results.at(-1)!.total} value={results.length} aria-label={t('progress')} />
        {t(state === 'running' ? 'resending' : 'resent', {
          done: results.filter(one => one.problem === null).length,
          total: results.at(-1)!.total,
        })}
      </div>
      <Table
        columns={columns()}
        rows={results}
        keyOf={row => `${row.done} ${row.id}`}
        label={t('result')}
        maxHeight="40vh"
      />
    </>
  )

/** Some dead letters, or all of a group. */
export const ResendForm = ({
  group,
  ids,
  onClose,
}: {
  group: string
  ids: readonly string[] | undefined
  onClose: () => void
}) => {
  const { results, state, error, run, stop } = useResend()
  const [rate, setRate] = useState('100')
  const [typed, setTyped] = useState('')
  const isSure = ids !== undefined || typed === group
  return (
    <Dialog
      title={ids === undefined ? t('resendAllOf', { group }) : t('resendPicked', { count: ids.length })}
      onClose={onClose}
      wide
    >
      <form
        onSubmit={event => {
          event.preventDefault()
          void run({ group, rate: Number(rate), ...(ids === undefined ? { all: 'yes' } : { ids }) })
        }}
      >
        <p>{t('resendWhat')}</p>
        <Field label={t('rate')}>
          <input
            type="number"
            min={1}
            max={10000}
            required
            value={rate}
            onInput={event => setRate(event.currentTarget.value)}
          />
        </Field>
        {ids === undefined ? <TypedName name={group} typed={typed} onType={setTyped} /> : null}
        <Command line={resendCommand(group, ids, rate)} />
        <Problem error={error} />
        <Results results={results} state={state} />
        <div class="buttons">
          {state === 'running' ? (
            <button type="button" onClick={stop}>
              {t('stop')}
            </button>
          ) : (
            <button type="button" onClick={onClose}>
              {t('close')}
            </button>
          )}
          {state === 'ready' ? (
            <button type="submit" class="primary" disabled={!isSure}>
              {t('resend')}
            </button>
          ) : null}
        </div>
      </form>
    </Dialog>
  )
}
