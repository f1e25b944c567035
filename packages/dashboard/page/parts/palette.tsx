import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { names as namesEndpoint } from '../../src/endpoints/overview.ts'
import { pages } from '../pages.tsx'
import { go } from '../route.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'
import { Dialog } from './basic.tsx'
import { matches } from './table.tsx'

interface Hit {
  readonly kind: string
  readonly name: string
  readonly path: readonly string[]
}

const maxHits = 40

/** Retries and dead letters are looked for less often than topics. */
const ownLast = (topic: string): number => (topic.startsWith('%') ? 1 : 0)

/** Ctrl-K: topics, groups, brokers, pages, and a message by what looks like its id. */
export const Palette = ({ onClose }: { onClose: () => void }) => {
  const { data } = useAsk<AnswerOf<typeof namesEndpoint>>('names')
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const [isEntered, setEntered] = useState(false)
  const list = useRef<HTMLDivElement>(null)
  const hits = useMemo(() => hitsOf(text.trim(), data), [text, data])
  const pick = (hit: Hit | undefined) => {
    if (hit === undefined) return
    onClose()
    go(hit.path)
  }
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [at])
  // Whoever types faster than the names come is taken there when they have come.
  useEffect(() => {
    if (isEntered && data !== undefined) pick(hits[at])
  }, [isEntered, data])
  const pressed = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setAt(Math.max(0, Math.min(hits.length - 1, at + step)))
    }
    if (event.key === 'Enter') {
      event.preventDefault()
      // What was typed last may not be drawn yet.
      const { value } = event.currentTarget as HTMLInputElement
      const found = value === text ? hits : hitsOf(value.trim(), data)
      if (data === undefined && found.length === 0) setEntered(true)
      else pick(found[value === text ? at : 0])
    }
  }
  return (
    <Dialog title={t('find')} onClose={onClose}>
      <div class="palette">
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="hits"
          aria-activedescendant={hits.length === 0 ? undefined : `hit-${at}`}
          aria-label={t('findWhat')}
          placeholder={t('findWhat')}
          value={text}
          onInput={event => {
            setText(event.currentTarget.value)
            setAt(0)
            setEntered(false)
          }}
          onKeyDown={pressed}
        />
        {data !== undefined && hits.length === 0 ? (
          <p class="quiet" role="status">
            {t('nothing')}
          </p>
        ) : null}
        <div id="hits" role="listbox" aria-label={t('found')} ref={list}>
          {hits.map((hit, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the field's
            <div
              role="option"
              id={`hit-${i}`}
              key={`${hit.kind} ${hit.name}`}
              aria-selected={i === at}
              tabIndex={-1}
              onClick={() => pick(hit)}
            >
              <span class="kind">{hit.kind}</span>
              <span>{hit.name}</span>
            </div>
          ))}
        </div>
      </div>
    </Dialog>
  )
}

function hitsOf(text: string, names: AnswerOf<typeof namesEndpoint> | undefined): Hit[] {
  const own = pages
    .filter(one => one.isHidden !== true)
    .map(one => ({ kind: t('page'), name: t(one.title), path: [one.name] }))
  const id = /^([0-9A-Fa-f]{32}|[0-9A-Fa-f]{56}|[0-9A-Fa-f]{34})$/.test(text)
    ? [{ kind: t('message'), name: text, path: ['message', text] }]
    : []
  const all = [
    ...id,
    ...own,
    ...[...(names?.topics ?? [])]
      .sort((a, b) => ownLast(a) - ownLast(b))
      .map(name => ({ kind: t('topic'), name, path: ['topic', name] })),
    ...(names?.groups ?? []).map(name => ({ kind: t('group'), name, path: ['group', name] })),
    ...(names?.brokers ?? []).map(one => ({
      kind: t('broker'),
      name: `${one.brokerName} ${one.address}`,
      path: ['broker', one.address],
    })),
  ]
  if (text === '') return all.slice(0, maxHits)
  const found = all.filter(({ name }) => matches(name, text))
  const begins = ({ name }: Hit): number => (name.toLowerCase().startsWith(text.toLowerCase()) ? 0 : 1)
  return found.sort((a, b) => begins(a) - begins(b) || a.name.length - b.name.length).slice(0, maxHits)
}
