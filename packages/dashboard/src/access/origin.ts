import { Problem } from '../problem.ts'

/** Names by which a machine calls itself. */
const ownNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Header of every request that changes something: forms and images of other sites cannot send it. */
export const ownHeader = 'x-skua-dashboard'

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Which names of hosts are ours. */
export interface HostRules {
  /** Names of hosts beside those of loopback, by which browsers come; in lower case, without a port. */
  readonly hosts: ReadonlySet<string>
  /** Authorities of pages that are ours although the Host is another one, behind a proxy: `mq.example.com`, `mq.example.com:8443`. */
  readonly origins: ReadonlySet<string>
}

export const hostOf = (authority: string): string => authority.toLowerCase().replace(/:\d+$/, '')
const one = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

/** Whether an address is this machine's own. */
export const isLoopback = (address: string): boolean =>
  address === '::1' || /^(::ffff:)?127\./.test(address) || ownNames.has(address.toLowerCase())

/** Throws where a browser was led here under a name that is not ours: somebody's page whose name points to this machine. */
export function checkHost(headers: Headers, { hosts }: HostRules): void {
  const host = hostOf(one(headers['host']) ?? '')
  if (ownNames.has(host) || hosts.has(host)) return
  throw new Problem(
    421,
    'HOST',
    `the dashboard does not answer to the name "${host}": open it as localhost, or allow the name (--allow-host ${host || 'NAME'}), which needs accounts`,
  )
}

/** Throws where another site's page asks. What was typed or clicked to get the page itself is no question of a page. */
export function checkSite(headers: Headers, rules: HostRules, isPage: boolean): void {
  const site = one(headers['sec-fetch-site'])
  if (!isPage && site !== undefined && site !== 'same-origin' && site !== 'none') throw otherSite(site)
  const origin = one(headers['origin'])
  if (origin !== undefined && !isOwnOrigin(origin, headers, rules)) throw otherSite(origin)
}

/** Throws where something is to be changed and it is not our page that asks. Programs send the header, and no Origin. */
export function checkChange(headers: Headers, rules: HostRules): void {
  checkSite(headers, rules, false)
  if (one(headers[ownHeader]) !== '1')
    throw new Problem(403, 'HEADER', `changes need the header ${ownHeader}: 1, which forms of other sites cannot send`)
  const type = one(headers['content-type']) ?? ''
  if (!/^application\/json\b/i.test(type))
    throw new Problem(415, 'CONTENT_TYPE', 'changes are JSON: send content-type: application/json')
}

function isOwnOrigin(origin: string, headers: Headers, { origins }: HostRules): boolean {
  const parts = /^https?:\/\/([^/]+)$/i.exec(origin)
  if (parts === null) return false
  const authority = parts[1]!.toLowerCase()
  // Behind a proxy the Host may be another one: then it is the name that was allowed. Another port is another site.
  return authority === one(headers['host'])?.toLowerCase() || origins.has(authority)
}

const otherSite = (site: string): Problem =>
  new Problem(403, 'ORIGIN', `the page of another site (${site.slice(0, 200)}) asks: only the dashboard's own page may`)
