import type { IncomingMessage } from 'node:http'
import type { Dashboard } from '../dashboard.ts'
import type { User } from '../endpoint.ts'
import { addressOf } from '../http/answer.ts'
import { Problem } from '../problem.ts'
import { isLoopback } from './origin.ts'

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

/** Undefined where nobody has said who he is. */
export function findUser(dashboard: Dashboard, request: IncomingMessage): User | undefined {
  const user = known(dashboard, request)
  return user !== undefined && dashboard.options.readOnly === true ? { ...user, role: 'view' } : user
}

function known({ options, accounts, sessions }: Dashboard, request: IncomingMessage): User | undefined {
  if (options.authorize !== undefined) return options.authorize(request)
  if (accounts === undefined) {
    if (isLoopback(addressOf(request))) return local
    throw new Problem(
      403,
      'LOOPBACK_ONLY',
      'without accounts only this machine itself is let in: start the dashboard with --accounts FILE',
    )
  }
  const secret = secretOf(request)
  const name = secret === undefined ? undefined : sessions.find(secret)
  return name === undefined ? undefined : accounts.current(name)
}

/** As `findUser`. Errors: LOGIN. */
export function whoAsks(dashboard: Dashboard, request: IncomingMessage): User {
  const user = findUser(dashboard, request)
  if (user !== undefined) return user
  throw new Problem(401, 'LOGIN', 'say who you are first: POST api/login with name and password')
}
