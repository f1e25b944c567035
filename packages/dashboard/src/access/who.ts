import type { IncomingMessage } from 'node:http'
import type { Dashboard } from '../dashboard.ts'
import type { User } from '../endpoint.ts'
import { addressOf } from '../http/answer.ts'
import { Problem } from '../problem.ts'
import { hostOf, isLoopback } from './origin.ts'

/** Cookie of a session. */
export const sessionCookie = 'skua_session'

/** Whoever sits at this machine, where there are no accounts. */
const local: User = { name: 'local', role: 'admin' }

/** The secret of the session's cookie. */
export function secretOf({ headers }: IncomingMessage): string | undefined {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2)
    if (name === sessionCookie && value !== undefined && /^[\w-]{43}$/.test(value)) return value
  }
  return undefined
}

/**
 * Whom a server of the user's says it is. Whatever is no user is nobody, and a promise is none: it would be somebody before
 * it is known who. Errors: AUTHORIZE.
 */
function authorized(told: unknown): User | undefined {
  if (told === undefined || told === null) return undefined
  const { name, role } = told as Partial<User>
  if (typeof name === 'string' && (role === 'view' || role === 'admin')) return { name, role }
  if (told instanceof Promise) told.catch(() => {})
  throw new Problem(
    500,
    'AUTHORIZE',
    'authorize returned no user: { name, role: "view" or "admin" }, at once, is wanted',
  )
}

/** Headers in which proxies say for whom they ask; each has addresses. */
const proxyHeaders = ['x-forwarded-for', 'x-real-ip', 'forwarded'] as const

/** Whether a proxy of this machine says that it asks for somebody elsewhere. */
function isForOthers({ headers }: IncomingMessage): boolean {
  const told = proxyHeaders.flatMap(name => String(headers[name] ?? '').split(/[,;]/))
  return told
    .map(part =>
      part
        .trim()
        .replace(/^for=/i, '')
        .replace(/^"(.*)"$/, '$1'),
    )
    .filter(part => part !== '' && !/^(by|host|proto)=/i.test(part))
    .some(address => !isLoopback(hostOf(address)) && !isLoopback(address))
}

/** Undefined where nobody has said who he is. */
export function findUser(dashboard: Dashboard, request: IncomingMessage): User | undefined {
  const user = known(dashboard, request)
  return user !== undefined && dashboard.options.readOnly === true ? { ...user, role: 'view' } : user
}

function known({ options, accounts, sessions }: Dashboard, request: IncomingMessage): User | undefined {
  if (options.authorize !== undefined) return authorized(options.authorize(request))
  if (accounts === undefined) {
    if (isLoopback(addressOf(request)) && !isForOthers(request)) return local
    throw new Problem(
      403,
      'LOOPBACK_ONLY',
      'without accounts only this machine itself is let in: start the dashboard with --accounts FILE',
    )
  }
  const secret = secretOf(request)
  const session = secret === undefined ? undefined : sessions.find(secret)
  return session === undefined ? undefined : accounts.current(session.name, session.proof)
}

/** As `findUser`. Errors: LOGIN. */
export function whoAsks(dashboard: Dashboard, request: IncomingMessage): User {
  const user = findUser(dashboard, request)
  if (user !== undefined) return user
  throw new Problem(401, 'LOGIN', 'say who you are first: POST api/login with name and password')
}
