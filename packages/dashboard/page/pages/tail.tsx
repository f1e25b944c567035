import { useEffect, useRef, useState } from 'preact/hooks'
import type { tail } from '../../src/endpoints/live.ts'
import { type ApiError, events } from '../api.ts'
import { tailCommand } from '../commands.ts'
import { countText } from '../format.ts'
import { Badge, Command, Field, Problem } from '../parts/basic.tsx'
import { type MessageRow, messageColumns, placeText } from '../parts/message-table.tsx'
import { SendForm } from '../parts/send-form.tsx'
import { Table } from '../parts/table.tsx'
import { type Route, setQuery } from '../route.ts'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { EventOf } from '../types.ts'
import { isSeen } from '../use.ts'
import { TopicField } from './messages.tsx'

/** Messages that are kept in the tab. */
const maxKept = 500

/** What comes into a topic, as it comes. A pause, or a tab that nobody sees, ends the stream. */
export const TailPage = ({ route }: { route: Route }) => {
  const [topic, setTopic] = useState(route.query['topic'] ?? '')
  const [tags, setTags] = useState(route.query['tags'] ?? '')
  const [sql, setSql] = useState(route.query['sql'] ?? '')
  const [rate, setRate] = useState(route.query['rate'] ?? '50')
  const [isSending, setSending] = useState(false)
  const { rows, skipped, error, state, start, stop, clear } = useTail(route)
  const { topic: wanted = '' } = route.query
  return (
    <>
      <div class="title">
        <h1>{t('liveTail')}</h1>
        <div class="actions">
          {state === 'running' ? (
            <Badge tone="good">{t('live')}</Badge>
          ) : state === 'paused' ? (
            <Badge tone="warn">{t('paused')}</Badge>
          ) : null}
          {wanted === '' ? null : (
            <button type="button" onClick={state === 'running' ? stop : start}>
              {state === 'running' ? t('pause') : t('goOn')}
            </button>
          )}
          <button type="button" onClick={clear}>
            {t('clear')}
          </button>
          {mayChange() && wanted !== '' ? (
            <button type="button" class="primary" onClick={() => setSending(true)}>
              {t('sendMessage')}
            </button>
          ) : null}
        </div>
      </div>
      <form
        class="bar"
        onSubmit={event => {
          event.preventDefault()
          setQuery({ topic, tags, sql: tags === '' ? sql : undefined, rate: rate === '50' ? undefined : rate })
          start()
        }}
      >
        <TopicField value={topic} onInput={setTopic} needed />
        <Field label={t('tagFilter')}>
          <input
            value={tags}
            placeholder="A || B"
            onInput={event => setTags(event.currentTarget.value)}
            spellcheck={false}
          />
        </Field>
        <Field label={t('sqlFilter')}>
          <input
            value={sql}
            disabled={tags !== ''}
            placeholder="price > 10"
            onInput={event => setSql(event.currentTarget.value)}
            spellcheck={false}
          />
        </Field>
        <Field label={t('rate')}>
          <input type="number" min={1} max={200} value={rate} onInput={event => setRate(event.currentTarget.value)} />
        </Field>
        <button type="submit" class="primary">
          {t('begin_tail')}
        </button>
      </form>
      {wanted === '' ? null : <Command line={tailCommand(wanted, { tags, sql })} />}
      <Problem error={error} again={start} />
      {wanted === '' ? null : (
        <>
          <p class="quiet" role="status">
            {t('tailCount', { shown: countText(rows.length), skipped: countText(skipped) })}
          </p>
          <Table
            columns={messageColumns()}
            rows={rows}
            keyOf={row => `${placeText(row)} ${row.msgId}`}
            label={t('liveTail')}
            empty={t('tailEmpty')}
          />
        </>
      )}
      {isSending ? <SendForm topic={wanted} onClose={() => setSending(false)} onDone={() => {}} /> : null}
    </>
  )
}

function useTail({ query }: Route) {
  const [rows, setRows] = useState<readonly MessageRow[]>([])
  const [skipped, setSkipped] = useState(0)
  const [error, setError] = useState<ApiError | undefined>(undefined)
  const [state, setState] = useState<'idle' | 'running' | 'paused'>('idle')
  const running = useRef<AbortController | undefined>(undefined)
  const { topic = '', tags, sql, rate } = query
  const start = async () => {
    running.current?.abort()
    if (topic === '') return
    const own = new AbortController()
    running.current = own
    setError(undefined)
    setState('running')
    try {
      const params = { topic, tags, sql, rate }
      for await (const event of events<EventOf<typeof tail>>('tail', params, { signal: own.signal })) {
        setRows(before => [...[...event.rows].reverse(), ...before].slice(0, maxKept))
        setSkipped(before => before + event.skipped)
      }
    } catch (problem) {
      if (!own.signal.aborted) setError(problem as ApiError)
    }
    if (running.current === own) setState('paused')
  }
  const stop = () => running.current?.abort()
  useEffect(() => {
    setRows([])
    setSkipped(0)
    void start()
    const seen = () => {
      if (isSeen()) void start()
      else stop()
    }
    document.addEventListener('visibilitychange', seen)
    return () => {
      document.removeEventListener('visibilitychange', seen)
      stop()
    }
  }, [topic, tags, sql, rate])
  const clear = () => {
    setRows([])
    setSkipped(0)
  }
  return { rows, skipped, error, state, start: () => void start(), stop, clear }
}
