import { maxPasswordLength } from '../access/accounts.ts'
import { findUser, secretOf, sessionCookie } from '../access/who.ts'
import { Problem } from '../problem.ts'
import { problemOf, shape, text } from '../schema.ts'
import { answerJson, readJson } from './answer.ts'
import type { Exchange } from './handler.ts'

const form = shape({ name: text({ min: 1, max: 64 }), password: text({ min: 1, max: maxPasswordLength }) })

/** Largest body of somebody who has not said who he is. */
const maxLoginBytes = 8 * 1024

/** Who asks, and what there is to look at; nobody is told of clusters before. */
export function answerMe({ dashboard, request, response }: Exchange): void {
  const user = findUser(dashboard, request)
  const { clusters, accounts, options } = dashboard
  answerJson(response, 200, {
    user: user ?? null,
    accounts: accounts !== undefined && options.authorize === undefined,
    readOnly: options.readOnly === true,
    clusters:
      user === undefined
        ? []
        : clusters.map(({ name, session }) => ({ name, namesrvAddr: session.namesrvAddrs.join(';') })),
  })
}

export async function answerLogin(exchange: Exchange): Promise<void> {
  const { dashboard, request, response, from } = exchange
  const { accounts, tries, sessions } = dashboard
  const given = await readJson(request, maxLoginBytes)
  const problem = problemOf(form, given, 'login')
  if (problem !== undefined) throw new Problem(400, 'ARGUMENT', problem)
  if (accounts === undefined) throw new Problem(409, 'NO_ACCOUNTS', 'this dashboard has no accounts')
  const { name, password } = given as { name: string; password: string }
  const waitMs = tries.waitMs(name, from)
  if (waitMs > 0) {
    response.setHeader('retry-after', Math.ceil(waitMs / 1000))
    throw new Problem(429, 'TOO_MANY_TRIES', `too many wrong passwords: try again in ${Math.ceil(waitMs / 1000)} s`)
  }
  // Counted before, so that many at a time are no way around; the right one is taken off again.
  tries.failed(name, from)
  const verified = await accounts.verify(name, password).catch((error: unknown) => {
    // Others who try at the same time do not use up the tries of whoever waits for them.
    tries.notTried(name, from)
    throw error
  })
  if (verified === undefined) throw new Problem(401, 'LOGIN', 'no account has this name and password')
  tries.succeeded(name, from)
  const { user, proof } = verified
  const before = secretOf(request)
  if (before !== undefined) sessions.end(before)
  response.setHeader('set-cookie', cookieOf(exchange, sessions.begin(user.name, proof)))
  answerJson(response, 200, { user })
}

export function answerLogout(exchange: Exchange): void {
  const { dashboard, request, response } = exchange
  const secret = secretOf(request)
  if (secret !== undefined) dashboard.sessions.end(secret)
  response.setHeader('set-cookie', `${cookieOf(exchange, '')}; Max-Age=0`)
  answerJson(response, 200, { user: null })
}

/** Scripts do not see it, other sites do not send it. Over TLS, also a proxy's, it is sent over TLS only. */
function cookieOf({ base, request }: Exchange, secret: string): string {
  const isEncrypted = 'encrypted' in request.socket || /^https\b/i.test(String(request.headers['x-forwarded-proto']))
  return `${sessionCookie}=${secret}; Path=${base}/; HttpOnly; SameSite=Strict${isEncrypted ? '; Secure' : ''}`
}
