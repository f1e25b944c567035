import { useEffect, useState } from 'preact/hooks'

/** Where the page is: `#/topic/Orders?tab=messages`. Whoever is sent the address sees the same. */
export interface Route {
  readonly path: readonly string[]
  readonly query: Readonly<Record<string, string>>
}

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = split(hash.replace(/^#\/?/, ''))
  const query = Object.fromEntries(new URLSearchParams(search))
  return {
    path: path
      .split('/')
      .filter(part => part !== '')
      .map(decode),
    query,
  }
}

function split(text: string): [string, string] {
  const at = text.indexOf('?')
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Cluster that is looked at; stands in every address where there are several. */
export const place = { cluster: undefined as string | undefined }

/** The address of a place. */
export function href(
  path: readonly string[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const search = new URLSearchParams()
  if (place.cluster !== undefined) search.set('cluster', place.cluster)
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, String(value))
  const text = search.toString()
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`
}

export const go = (
  path: readonly string[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): void => {
  location.hash = href(path, query)
}

/** Other values in the query, without a step of the browser's history. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const { path, query } = parseRoute(location.hash)
  const { cluster: _, ...rest } = { ...query, ...changes }
  history.replaceState(null, '', href(path, rest))
  dispatchEvent(new HashChangeEvent('hashchange'))
}

export function useRoute(): Route {
  const [route, set] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const changed = () => set(parseRoute(location.hash))
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return route
}
