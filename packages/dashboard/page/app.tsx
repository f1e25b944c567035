import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { ask, change } from './api.ts'
import { where } from './command.ts'
import { Login } from './pages/login.tsx'
import { pageOf, pages } from './pages.tsx'
import { Loading, Problem } from './parts/basic.tsx'
import { Palette } from './parts/palette.tsx'
import { go, href, parseRoute, place, useRoute } from './route.ts'
import { type Me, session } from './session.ts'
import { type Language, language, safeGet, safeSet, setLanguage, t } from './text/text.ts'
import { useAct } from './use.ts'

type Theme = 'auto' | 'light' | 'dark'

const chosenTheme = (): Theme => (safeGet('skua-theme') as Theme | undefined) ?? 'auto'

const showTheme = (theme: Theme): void => {
  document.documentElement.dataset['theme'] = theme
}

/** The frame around all pages: who asks, which cluster, where to go. */
export const App = () => {
  const [me, setMe] = useState<Me | undefined>(undefined)
  const { error, run } = useAct()
  const route = useRoute()
  const load = () => run(async () => setMe(await ask<Me>('me')))
  // Before the first picture, and not some time after it.
  useLayoutEffect(() => {
    setLanguage(language())
    // Also for who has to sign in first.
    showTheme(chosenTheme())
    void load()
    addEventListener('skua-login', load)
    return () => removeEventListener('skua-login', load)
  }, [])
  if (me === undefined) return error === undefined ? <Loading /> : <Problem error={error} again={load} />
  if (me.user === null) return <Login onDone={load} />
  session.me = me
  const names = me.clusters.map(({ name }) => name)
  const wanted = route.query['cluster']
  const name = wanted !== undefined && names.includes(wanted) ? wanted : names[0]
  place.cluster = names.length > 1 ? name : undefined
  where.namesrvAddr = me.clusters.find(one => one.name === name)?.namesrvAddr ?? ''
  return <Frame me={me} key={name} cluster={name ?? ''} onOut={load} />
}

const Frame = ({ me, cluster, onOut }: { me: Me; cluster: string; onOut: () => void }) => {
  const route = useRoute()
  const [isFinding, setFinding] = useState(false)
  const [isOpen, setOpen] = useState(false)
  const [theme, setTheme] = useState<Theme>(chosenTheme)
  const [words, setWords] = useState<Language>(language())
  useEffect(() => {
    showTheme(theme)
    safeSet('skua-theme', theme)
  }, [theme])
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        setFinding(true)
      }
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [])
  useEffect(() => setOpen(false), [route.path.join('/')])
  const current = pageOf(route)
  useEffect(() => {
    document.title = `${[...route.path.slice(1), t(current.title)].join(' · ')} – Skua`
  })
  const Page = current.page
  return (
    <div class={`frame ${isOpen ? 'open' : ''}`}>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {t('skip')}
      </button>
      <nav aria-label={t('pages')}>
        <a class="brand" href={href([])}>
          <img src="icon.svg" alt="" width={22} height={22} />
          {t('brand')}
        </a>
        {pages
          .filter(({ isHidden }) => isHidden !== true)
          .map(one => (
            <a
              key={one.name}
              href={href([one.name])}
              class={one.under === current.under ? 'now' : ''}
              aria-current={one.under === current.under ? 'page' : undefined}
            >
              {t(one.title)}
            </a>
          ))}
      </nav>
      <div class="top">
        <button
          type="button"
          class="menu"
          onClick={() => setOpen(!isOpen)}
          aria-expanded={isOpen}
          aria-label={t('menu')}
        >
          ☰
        </button>
        <Clusters me={me} cluster={cluster} />
        <button type="button" class="find" onClick={() => setFinding(true)}>
          <span>{t('find')}</span>
          <kbd>{t('findKeys')}</kbd>
        </button>
        <div class="right">
          <button
            type="button"
            class="small"
            onClick={() => {
              const next = words === 'en' ? 'zh' : 'en'
              setLanguage(next)
              setWords(next)
            }}
          >
            {t('otherLanguage')}
          </button>
          <button
            type="button"
            class="small"
            onClick={() => setTheme(theme === 'auto' ? 'dark' : theme === 'dark' ? 'light' : 'auto')}
          >
            {t(theme === 'auto' ? 'themeAuto' : theme === 'dark' ? 'themeDark' : 'themeLight')}
          </button>
          <Who me={me} onOut={onOut} />
        </div>
      </div>
      <main id="main" tabIndex={-1} key={`${words} ${theme} ${route.path.join('/')}`}>
        <Page route={route} />
      </main>
      {isFinding ? <Palette onClose={() => setFinding(false)} /> : null}
    </div>
  )
}

const Clusters = ({ me, cluster }: { me: Me; cluster: string }) =>
  me.clusters.length < 2 ? (
    <span class="quiet cluster">{cluster}</span>
  ) : (
    <select
      class="cluster"
      aria-label={t('cluster')}
      value={cluster}
      onChange={event => {
        const { path } = parseRoute(location.hash)
        place.cluster = event.currentTarget.value
        // What the other cluster has is not known: its list of the same kind is.
        go(path.slice(0, 1))
      }}
    >
      {me.clusters.map(({ name }) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  )

const Who = ({ me, onOut }: { me: Me; onOut: () => void }) => (
  <span class="who">
    {me.readOnly ? <span class="badge warn">{t('readOnly')}</span> : null}
    {me.accounts ? (
      <>
        <span class="quiet">{me.user?.name}</span>
        <button type="button" class="small" onClick={() => void change('logout').finally(onOut)}>
          {t('signOut')}
        </button>
      </>
    ) : null}
  </span>
)
