import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ApiError } from '../api.ts'
import { spanText, timeText } from '../format.ts'
import { href } from '../route.ts'
import { type TextKey, t } from '../text/text.ts'

export const Link = ({
  to,
  query,
  children,
  title,
}: {
  to: readonly string[]
  query?: Readonly<Record<string, string | number | undefined>>
  children: ComponentChildren
  title?: string
}) => (
  <a href={href(to, query ?? {})} title={title}>
    {children}
  </a>
)

/** The end of an id: ids of one sender begin alike. */
export const idText = (id: string): string => (id.length > 16 ? `…${id.slice(-12)}` : id)

/** A message by its id; the whole of it is told when the mouse is over it. */
export const MessageLink = ({ id, shown, topic }: { id: string; shown: string; topic: string }) => (
  <Link to={['message', id]} query={{ topic }} title={shown}>
    <code>{idText(shown)}</code>
  </Link>
)

/** A time in the browser's zone; UTC when the mouse is over it. */
export const Time = ({ ms, ago }: { ms: number | null | undefined; ago?: boolean }) =>
  ms === null || ms === undefined || ms <= 0 ? (
    <span class="quiet">–</span>
  ) : (
    <time dateTime={new Date(ms).toISOString()} title={`${timeText(ms)}\n${new Date(ms).toISOString()}`}>
      {ago ? t('ago', { span: spanText(Date.now() - ms) }) : timeText(ms)}
    </time>
  )

export type Tone = 'good' | 'bad' | 'warn' | 'plain' | 'accent'

export const Badge = ({
  tone = 'plain',
  children,
  title,
}: {
  tone?: Tone
  children: ComponentChildren
  title?: string
}) => (
  <span class={`badge ${tone}`} title={title}>
    {children}
  </span>
)

/** What went wrong: the sentence of the server, which says what to try, and which address it was. */
export const Problem = ({ error, again }: { error: ApiError | undefined; again?: () => void }) =>
  error === undefined ? null : (
    <div class="banner bad" role="alert">
      <strong>{error.code === 'UNREACHABLE' ? t('unreachable') : t('notDone')}</strong>
      <span>{error.message}</span>
      {error.code === 'NETWORK' && error.address !== undefined ? (
        <span>{t('advertisedAddress', { address: error.address })}</span>
      ) : null}
      {again === undefined ? null : (
        <button type="button" class="small" onClick={again}>
          {t('again')}
        </button>
      )}
    </div>
  )

export const Notes = ({ notes }: { notes: readonly string[] | undefined }) => (
  <>
    {(notes ?? []).map(note => (
      <div class="banner warn" key={note}>
        {note}
      </div>
    ))}
  </>
)

/** While an answer is waited for; nothing where there is an error to be read instead. */
export const Loading = ({ unless }: { unless?: ApiError | undefined }) =>
  unless === undefined ? (
    <div class="loading" role="status">
      {t('loading')}
    </div>
  ) : null

export const Empty = ({ children }: { children: ComponentChildren }) => <div class="empty">{children}</div>

/** A text that is copied by a click. */
export const Copy = ({ text, label }: { text: string; label?: TextKey }) => {
  const [isDone, set] = useState(false)
  const copy = async () => {
    await navigator.clipboard?.writeText(text).catch(() => {})
    set(true)
    setTimeout(() => set(false), 1_500)
  }
  return (
    <button type="button" class="small copy" onClick={copy} aria-label={t(label ?? 'copy')} title={t(label ?? 'copy')}>
      {isDone ? (
        t('copied')
      ) : (
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <path d="M5 5V2.5h8.5V11H11M2.5 5H11v8.5H2.5z" fill="none" stroke="currentColor" stroke-width="1.3" />
        </svg>
      )}
    </button>
  )
}

/** The command that does the same. */
export const Command = ({ line }: { line: string }) => (
  <div class="command">
    <span class="label">{t('sameCommand')}</span>
    <code>{line}</code>
    <Copy text={line} />
  </div>
)

export const Tile = ({ label, children, tone }: { label: string; children: ComponentChildren; tone?: Tone }) => (
  <div class={`tile ${tone ?? ''}`}>
    <div class="label">{label}</div>
    <div class="figure">{children}</div>
  </div>
)

export const Field = ({ label, children, hint }: { label: string; children: ComponentChildren; hint?: string }) => (
  <label class="field">
    <span>{label}</span>
    {children}
    {hint === undefined ? null : <small>{hint}</small>}
  </label>
)

export const Card = ({
  title,
  actions,
  children,
}: {
  title?: ComponentChildren
  actions?: ComponentChildren
  children: ComponentChildren
}) => (
  <section class="card">
    {title === undefined && actions === undefined ? null : (
      <header>
        <h2>{title}</h2>
        <div class="actions">{actions}</div>
      </header>
    )}
    {children}
  </section>
)

/** A window above the page; Escape closes it, the focus stays inside. */
export const Dialog = ({
  title,
  onClose,
  children,
  wide,
}: {
  title: string
  onClose: () => void
  children: ComponentChildren
  wide?: boolean
}) => {
  const ref = useRef<HTMLDialogElement>(null)
  // Before anything else happens: keys that follow the one that opened it are for it.
  useLayoutEffect(() => {
    const dialog = ref.current
    if (dialog !== null && !dialog.open) dialog.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      class={wide ? 'wide' : ''}
      aria-label={title}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" class="small" onClick={onClose} aria-label={t('close')}>
          ✕
        </button>
      </header>
      <div class="content">{children}</div>
    </dialog>
  )
}

export interface TabOf<K extends string> {
  readonly key: K
  readonly label: string
}

export function Tabs<K extends string>({
  tabs,
  now,
  onPick,
}: {
  tabs: readonly TabOf<K>[]
  now: K
  onPick: (key: K) => void
}) {
  return (
    <div class="tabs" role="tablist">
      {tabs.map(({ key, label }) => (
        <button
          type="button"
          role="tab"
          key={key}
          aria-selected={key === now}
          class={key === now ? 'now' : ''}
          onClick={() => onPick(key)}
        >
          {label}
        </button>
      ))}
    </div>
  )
}

/** Names and values below each other. */
export const Facts = ({ facts }: { facts: readonly (readonly [name: string, value: ComponentChildren])[] }) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

/** Asks for the name of what is changed in a way that cannot be undone. */
export const TypedName = ({
  name,
  typed,
  onType,
}: {
  name: string
  typed: string
  onType: (typed: string) => void
}) => (
  <Field label={t('typeName', { name })}>
    <input value={typed} onInput={event => onType(event.currentTarget.value)} autocomplete="off" spellcheck={false} />
  </Field>
)
