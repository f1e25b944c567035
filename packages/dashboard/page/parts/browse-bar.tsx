import type { Params } from '../api.ts'
import { inputTime } from '../format.ts'
import { type Route, setQuery } from '../route.ts'
import { t } from '../text/text.ts'
import { Field } from './basic.tsx'

const places = ['newest', 'oldest', 'time', 'offset'] as const

/** Where a list of messages begins, out of the address. */
export function browseParams({ query }: Route, topic: string): Params {
  const from = query['from'] ?? 'newest'
  const [broker, queueId] = split(query['queue'] ?? '')
  const number = (name: string, standard: number) => (query[name] === undefined ? standard : Number(query[name]))
  return {
    ...{ topic, from, broker, queueId },
    ...(from === 'time' ? { timeMs: number('time', Date.now() - 3_600_000) } : {}),
    ...(from === 'offset' ? { offset: number('offset', 0) } : {}),
  }
}

function split(queue: string): [string | undefined, number | undefined] {
  const at = queue.lastIndexOf('/')
  return at === -1 ? [undefined, undefined] : [queue.slice(0, at), Number(queue.slice(at + 1))]
}

export const BrowseBar = ({ route, queues }: { route: Route; queues: readonly string[] }) => {
  const from = route.query['from'] ?? 'newest'
  return (
    <div class="bar">
      <Field label={t('from')}>
        <select
          value={from}
          onChange={event =>
            setQuery({ from: event.currentTarget.value === 'newest' ? undefined : event.currentTarget.value })
          }
        >
          {places.map(one => (
            <option key={one} value={one}>
              {t(`from_${one}`)}
            </option>
          ))}
        </select>
      </Field>
      {from === 'time' ? (
        <Field label={t('time')}>
          <input
            type="datetime-local"
            step={1}
            value={inputTime(Number(route.query['time'] ?? Date.now() - 3_600_000))}
            onChange={event => setQuery({ time: String(new Date(event.currentTarget.value).getTime()) })}
          />
        </Field>
      ) : null}
      {from === 'offset' ? (
        <Field label={t('offset')}>
          <input
            type="number"
            min={0}
            value={route.query['offset'] ?? '0'}
            onChange={event => setQuery({ offset: event.currentTarget.value })}
          />
        </Field>
      ) : null}
      <Field label={t('queue')}>
        <select value={route.query['queue'] ?? ''} onChange={event => setQuery({ queue: event.currentTarget.value })}>
          <option value="">{t('allQueues')}</option>
          {queues.map(queue => (
            <option key={queue}>{queue}</option>
          ))}
        </select>
      </Field>
    </div>
  )
}
