import { useMemo, useState } from 'preact/hooks'
import type { message as messageEndpoint, messageFates, messageTraceSteps } from '../../src/endpoints/messages.ts'
import { skua } from '../command.ts'
import { bytesText, hexText } from '../format.ts'
import {
  Badge,
  Card,
  Command,
  Copy,
  Empty,
  Facts,
  Link,
  Loading,
  Notes,
  Problem,
  Tabs,
  Time,
  type Tone,
} from '../parts/basic.tsx'
import { placeText } from '../parts/message-table.tsx'
import type { Route } from '../route.ts'
import { languages, type TextKey, t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

type Detail = AnswerOf<typeof messageEndpoint>['message']

export const MessagePage = ({ route }: { route: Route }) => {
  const id = route.path[1] ?? ''
  const topic = route.query['topic']
  const { data, error, again } = useAsk<AnswerOf<typeof messageEndpoint>>('message', { id, topic })
  return (
    <>
      <h1>
        <Link to={['messages']}>{t('messages')}</Link> / <span class="id">{data?.message.row.msgId ?? id}</span>
      </h1>
      <Problem error={error} again={again} />
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <>
          <Head message={data.message} />
          <Command line={skua('message', data.message.row.msgId, ['--topic', data.message.row.topic])} />
          <div class="columns">
            <Body message={data.message} />
            <div>
              <Fates message={data.message} />
              <Trace id={data.message.row.msgId} />
            </div>
          </div>
          <Properties properties={data.message.properties} />
          {data.copies.length === 0 ? null : (
            <Card title={t('copies')}>
              <ul class="list">
                {data.copies.map(copy => (
                  <li key={copy.offsetMsgId}>
                    <Link to={['message', copy.offsetMsgId]} query={{ topic: copy.topic }}>
                      {copy.topic}
                    </Link>{' '}
                    {placeText(copy)} <Time ms={copy.storedAtMs} />
                  </li>
                ))}
              </ul>
            </Card>
          )}
        </>
      )}
    </>
  )
}

const Head = ({ message }: { message: Detail }) => {
  const { row } = message
  return (
    <Facts
      facts={[
        [
          t('topic'),
          <Link key="t" to={['topic', row.topic]}>
            {row.topic}
          </Link>,
        ],
        [t('place'), <span key="p">{placeText(row)}</span>],
        [t('stored'), <Time key="s" ms={row.storedAtMs} />],
        [
          t('born'),
          <>
            <Time ms={row.bornAtMs} /> <code>{message.bornHost}</code>
          </>,
        ],
        [t('tag'), row.tags ?? '–'],
        [t('keys'), row.keys.join(' ') || '–'],
        [t('tries'), row.reconsumeTimes],
        [t('size'), bytesText(row.size)],
        [
          t('offsetId'),
          <>
            <code>{row.offsetMsgId}</code> <Copy text={row.offsetMsgId} />
          </>,
        ],
        [
          t('uniqueId'),
          <>
            <code>{row.msgId}</code> <Copy text={row.msgId} />
          </>,
        ],
      ]}
    />
  )
}

const views = ['text', 'json', 'hex'] as const

const bytesOf = ({ encoding, content }: Detail['body']): Uint8Array =>
  encoding === 'text' ? new TextEncoder().encode(content) : Uint8Array.from(atob(content), one => one.charCodeAt(0))

/** As JSON, indented; undefined where it is none. */
function jsonText({ encoding, content, isCut }: Detail['body']): string | undefined {
  if (encoding !== 'text' || isCut || !/^\s*[[{"]/.test(content)) return undefined
  try {
    return JSON.stringify(JSON.parse(content), undefined, 2)
  } catch {
    return undefined
  }
}

export const Body = ({ message }: { message: Detail }) => {
  const { body } = message
  const json = useMemo(() => jsonText(body), [body])
  const [picked, pick] = useState<(typeof views)[number] | undefined>(undefined)
  const view = picked ?? (json !== undefined ? 'json' : body.encoding === 'text' ? 'text' : 'hex')
  const possible = views.filter(
    one => one === 'hex' || (one === 'json' ? json !== undefined : body.encoding === 'text'),
  )
  const text = view === 'json' ? json! : view === 'text' ? body.content : hexText(bytesOf(body).subarray(0, 64 * 1024))
  return (
    <Card title={t('body')} actions={<Copy text={view === 'hex' ? body.content : text} />}>
      <Tabs tabs={possible.map(key => ({ key, label: t(`view_${key}`) }))} now={view} onPick={pick} />
      <pre class="body" tabIndex={0}>
        {text === '' ? t('emptyBody') : text}
      </pre>
      {body.isCut ? <p class="quiet">{t('bodyCut', { size: bytesText(message.row.size) })}</p> : null}
    </Card>
  )
}

const toneOf = (state: string): Tone =>
  state === 'CONSUMED'
    ? 'good'
    : ['DEAD_LETTER', 'SKIPPED', 'NOT_SUBSCRIBED', 'NO_OWNER', 'EXPIRED'].includes(state)
      ? 'bad'
      : ['NOT_REACHED', 'NO_MEMBER', 'WAITS_FOR_RETRY', 'FILTERED', 'UNDECIDED', 'DELAYED'].includes(state)
        ? 'warn'
        : 'plain'

const stateText = (state: string): string => (`fate_${state}` in languages.en ? t(`fate_${state}` as TextKey) : state)

const Fates = ({ message }: { message: Detail }) => {
  const { row } = message
  const { data, error, again } = useAsk<AnswerOf<typeof messageFates>>('message/fates', {
    id: row.offsetMsgId,
    topic: row.topic,
  })
  return (
    <Card
      title={t('whatGroupsMade')}
      actions={
        <button type="button" class="small" onClick={again}>
          {t('again')}
        </button>
      }
    >
      <Problem error={error} />
      {data === undefined ? (
        <Loading unless={error} />
      ) : data.rows.length === 0 ? (
        <Empty>{t('noGroupOfTopic')}</Empty>
      ) : null}
      <ul class="fates">
        {(data?.rows ?? []).map(({ group, state, sentence }) => (
          <li key={group}>
            <div>
              <Badge tone={toneOf(state)}>{stateText(state)}</Badge> <Link to={['group', group]}>{group}</Link>
            </div>
            <p>{sentence}</p>
            <Command line={skua('explain', row.msgId, ['-g', group], ['--topic', row.topic])} />
          </li>
        ))}
      </ul>
    </Card>
  )
}

const Trace = ({ id }: { id: string }) => {
  const { data, error } = useAsk<AnswerOf<typeof messageTraceSteps>>('message/trace', { id })
  return (
    <Card title={t('trace')}>
      <Problem error={error} />
      <Notes notes={data?.problems} />
      {data !== undefined && data.rows.length === 0 && data.problems.length === 0 ? (
        <Empty>{t('noTrace')}</Empty>
      ) : null}
      <ol class="steps">
        {(data?.rows ?? []).map(step => (
          <li
            key={`${step.type} ${step.group} ${step.atMs} ${step.clientHost}`}
            class={step.status === 'failed' ? 'bad' : ''}
          >
            <strong>
              {t(step.type === 'Pub' ? 'traceSent' : step.type === 'Sub' ? 'traceConsumed' : 'traceDecided')}
            </strong>{' '}
            <Time ms={step.atMs} />
            <div class="quiet">
              {step.group} · <code>{step.clientHost}</code> · {t('milliseconds', { ms: step.costMs })} · {step.status}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  )
}

const meaningOf = (name: string): string | undefined =>
  `property_${name}` in languages.en ? t(`property_${name}` as TextKey) : undefined

const Properties = ({ properties }: { properties: Readonly<Record<string, string>> }) => (
  <Card title={t('properties')}>
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">{t('name')}</th>
          <th scope="col">{t('value')}</th>
          <th scope="col">{t('meaning')}</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(properties).map(([name, value]) => (
          <tr key={name}>
            <td>
              <code>{name}</code>
            </td>
            <td class="value">{value}</td>
            <td class="quiet">{meaningOf(name) ?? t('userProperty')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Card>
)
