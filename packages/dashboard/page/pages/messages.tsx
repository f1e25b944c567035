import { useEffect, useRef, useState } from 'preact/hooks'
import type { messagesOfKey, messagesScan } from '../../src/endpoints/messages.ts'
import type { names } from '../../src/endpoints/overview.ts'
import { type ApiError, events } from '../api.ts'
import { skua } from '../command.ts'
import { countText, inputTime } from '../format.ts'
import { Command, Field, Loading, Problem } from '../parts/basic.tsx'
import { BrowseBar, browseParams } from '../parts/browse-bar.tsx'
import { MessageList, type MessageRow, messageColumns, placeText } from '../parts/message-table.tsx'
import { Table } from '../parts/table.tsx'
import { go, type Route, setQuery } from '../route.ts'
import { type TextKey, t } from '../text/text.ts'
import type { AnswerOf, EventOf } from '../types.ts'
import { useAsk } from '../use.ts'

const ways = ['id', 'key', 'text', 'browse'] as const
type Way = (typeof ways)[number]
const wayText: Readonly<Record<Way, TextKey>> = { id: 'byId', key: 'byKey', text: 'byText', browse: 'byPlace' }

/** Finds messages. What is looked for stands in the address. */
export const MessagesPage = ({ route }: { route: Route }) => {
  const by = (route.query['by'] as Way | undefined) ?? 'id'
  return (
    <>
      <h1>{t('messages')}</h1>
      <fieldset class="choice" aria-label={t('findBy')}>
        {ways.map(one => (
          <button
            type="button"
            key={one}
            class={one === by ? 'now' : ''}
            aria-pressed={one === by}
            onClick={() => setQuery({ by: one === 'id' ? undefined : one })}
          >
            {t(wayText[one])}
          </button>
        ))}
      </fieldset>
      {by === 'id' ? <ById route={route} /> : null}
      {by === 'key' ? <ByKey route={route} /> : null}
      {by === 'text' ? <ByText route={route} /> : null}
      {by === 'browse' ? <ByPlace route={route} /> : null}
    </>
  )
}

/** A field for a topic that offers those that there are. */
export const TopicField = ({
  value,
  onInput,
  needed,
}: {
  value: string
  onInput: (topic: string) => void
  needed?: boolean
}) => {
  const { data } = useAsk<AnswerOf<typeof names>>('names')
  const shown = (data?.topics ?? []).filter(name => value === '' || name.toLowerCase().includes(value.toLowerCase()))
  return (
    <Field label={t('topic')} {...(needed ? {} : { hint: t('topicOptional') })}>
      <input
        list="topics"
        value={value}
        required={needed ?? false}
        onInput={event => onInput(event.currentTarget.value)}
        spellcheck={false}
        autocomplete="off"
      />
      <datalist id="topics">
        {shown.slice(0, 50).map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </Field>
  )
}

const ById = ({ route }: { route: Route }) => {
  const [id, setId] = useState('')
  const [topic, setTopic] = useState(route.query['topic'] ?? '')
  return (
    <form
      class="bar"
      onSubmit={event => {
        event.preventDefault()
        go(['message', id.trim()], { topic })
      }}
    >
      <Field label={t('messageId')} hint={t('idHint')}>
        <input
          class="long"
          required
          value={id}
          onInput={event => setId(event.currentTarget.value)}
          spellcheck={false}
        />
      </Field>
      <TopicField value={topic} onInput={setTopic} />
      <button type="submit" class="primary">
        {t('findIt')}
      </button>
    </form>
  )
}

const ByKey = ({ route }: { route: Route }) => {
  const [topic, setTopic] = useState(route.query['topic'] ?? '')
  const [key, setKey] = useState(route.query['key'] ?? '')
  const wanted = { topic: route.query['topic'] ?? '', key: route.query['key'] ?? '', limit: 500 }
  const isReady = wanted.topic !== '' && wanted.key !== ''
  const { data, error, isLoading } = useAsk<AnswerOf<typeof messagesOfKey>>('messages/key', wanted, { when: isReady })
  return (
    <>
      <form
        class="bar"
        onSubmit={event => {
          event.preventDefault()
          setQuery({ topic, key })
        }}
      >
        <TopicField value={topic} onInput={setTopic} needed />
        <Field label={t('key')}>
          <input required value={key} onInput={event => setKey(event.currentTarget.value)} spellcheck={false} />
        </Field>
        <button type="submit" class="primary">
          {t('findIt')}
        </button>
      </form>
      {isReady ? <Command line={skua('find', wanted.topic, ['--key', wanted.key])} /> : null}
      <Problem error={error} />
      {isLoading && isReady ? <Loading /> : null}
      {data === undefined ? null : <Found rows={data.rows} empty={t('noMessageOfKey')} />}
    </>
  )
}

const Found = ({ rows, empty }: { rows: readonly MessageRow[]; empty: string }) => (
  <Table
    columns={messageColumns()}
    rows={rows}
    keyOf={row => `${row.topic} ${placeText(row)} ${row.msgId}`}
    label={t('messages')}
    empty={empty}
  />
)

const ByPlace = ({ route }: { route: Route }) => {
  const [topic, setTopic] = useState(route.query['topic'] ?? '')
  const wanted = route.query['topic'] ?? ''
  return (
    <>
      <form
        class="bar"
        onSubmit={event => {
          event.preventDefault()
          setQuery({ topic })
        }}
      >
        <TopicField value={topic} onInput={setTopic} needed />
        <button type="submit" class="primary">
          {t('show')}
        </button>
      </form>
      {wanted === '' ? null : (
        <>
          <BrowseBar route={route} queues={[]} />
          <MessageList params={browseParams(route, wanted)} />
        </>
      )}
    </>
  )
}

const ByText = ({ route }: { route: Route }) => {
  const [topic, setTopic] = useState(route.query['topic'] ?? '')
  const [text, setText] = useState(route.query['text'] ?? '')
  const [begin, setBegin] = useState(inputTime(Number(route.query['begin'] ?? Date.now() - 3_600_000)))
  const [end, setEnd] = useState(inputTime(Number(route.query['end'] ?? Date.now())))
  const [state, setState] = useState<{ scanned: number; total: number } | undefined>(undefined)
  const [rows, setRows] = useState<readonly MessageRow[]>([])
  const [error, setError] = useState<ApiError | undefined>(undefined)
  const running = useRef<AbortController | undefined>(undefined)
  const [isRunning, setRunning] = useState(false)
  useEffect(() => () => running.current?.abort(), [])
  const run = async () => {
    running.current?.abort()
    const own = new AbortController()
    running.current = own
    setRows([])
    setError(undefined)
    setState({ scanned: 0, total: 0 })
    setRunning(true)
    const [beginMs, endMs] = [new Date(begin).getTime(), new Date(end).getTime() + 999]
    setQuery({ topic, text, begin: String(beginMs), end: String(endMs - 999) })
    try {
      for await (const { found, ...far } of events<EventOf<typeof messagesScan>>(
        'messages/scan',
        { topic, text, beginMs, endMs, limit: 1_000 },
        { signal: own.signal },
      )) {
        setState(far)
        if (found.length > 0) setRows(before => [...before, ...found])
      }
    } catch (problem) {
      if (!own.signal.aborted) setError(problem as ApiError)
    } finally {
      if (running.current === own) setRunning(false)
    }
  }
  return (
    <>
      <form
        class="bar"
        onSubmit={event => {
          event.preventDefault()
          void run()
        }}
      >
        <TopicField value={topic} onInput={setTopic} needed />
        <Field label={t('textWanted')}>
          <input required value={text} onInput={event => setText(event.currentTarget.value)} />
        </Field>
        <Field label={t('begin')}>
          <input type="datetime-local" step={1} value={begin} onInput={event => setBegin(event.currentTarget.value)} />
        </Field>
        <Field label={t('end')}>
          <input type="datetime-local" step={1} value={end} onInput={event => setEnd(event.currentTarget.value)} />
        </Field>
        <button type="submit" class="primary">
          {t('search')}
        </button>
        {isRunning ? (
          <button type="button" onClick={() => running.current?.abort()}>
            {t('stop')}
          </button>
        ) : null}
      </form>
      <Problem error={error} />
      {state === undefined ? null : (
        <div class="progress" role="status">
          <progress max={Math.max(1, state.total)} value={state.scanned} aria-label={t('progress')} />
          {t('scanned', { scanned: countText(state.scanned), total: countText(state.total), found: rows.length })}
        </div>
      )}
      {state === undefined ? null : <Found rows={rows} empty={isRunning ? t('loading') : t('noMatch')} />}
    </>
  )
}
