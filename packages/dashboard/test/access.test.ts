import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { isLoopback } from '../src/access/origin.ts'
import { maxSessions, Sessions } from '../src/access/sessions.ts'
import { maxTries, Tries } from '../src/access/tries.ts'
import { endpoints } from '../src/endpoints.ts'
import { accountLine, createDashboard, type DashboardListener, startDashboard } from '../src/index.ts'
import { dash, type Got, get, noPage, post } from './dash.ts'

/** Nobody answers there: who is not let in needs no cluster. */
const namesrvAddr = '127.0.0.1:1'
const folder = mkdtempSync(join(tmpdir(), 'skua-dashboard-'))
const accounts = join(folder, 'accounts')
const password = 'correct horse'
const lines = await Promise.all([
  accountLine({ name: 'ada', role: 'admin', password }),
  accountLine({ name: 'val', role: 'view', password }),
])
writeFileSync(accounts, `${lines.join('\n')}\n`)
const open = await dash({ namesrvAddr, clusters: undefined })
const closed = await dash({ namesrvAddr, clusters: undefined, accounts })
after(async () => {
  await Promise.all([open.stop(), closed.stop()])
  rmSync(folder, { recursive: true })
})

const codeOf = ({ body }: Got): string => (body['error'] as unknown as { code: string } | undefined)?.code ?? ''

async function cookieOf(listener: DashboardListener, name: string): Promise<string> {
  const { status, headers } = await post(listener, '/api/login', { name, password })
  assert.equal(status, 200)
  return String(headers['set-cookie']).split(';')[0]!
}

test('a name of the host that is not ours is refused, for pages as for the API: DNS rebinding', async () => {
  for (const path of ['/', '/api/me', '/api/openapi.json'])
    for (const host of ['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example']) {
      const got = await get(open, path, { headers: { host } })
      assert.deepEqual([got.status, codeOf(got)], [421, 'HOST'], `${path} at ${host}`)
    }
  for (const host of ['localhost', `localhost:${open.port}`, `127.0.0.1:${open.port}`, '[::1]:80', 'LOCALHOST'])
    assert.equal((await get(open, '/api/me', { headers: { host } })).status, 200, host)
})

test('another site neither asks nor changes; our own page and programs do', async () => {
  const own = `http://127.0.0.1:${open.port}`
  for (const origin of [
    'http://evil.example',
    'null',
    'http://localhost:1',
    `https://127.0.0.1:${open.port + 1}`,
    'x',
  ]) {
    const got = await get(open, '/api/overview', { headers: { origin } })
    assert.deepEqual([got.status, codeOf(got)], [403, 'ORIGIN'], origin)
    assert.equal(codeOf(await post(open, '/api/topic/put', {}, { headers: { origin } })), 'ORIGIN', origin)
  }
  for (const site of ['cross-site', 'same-site'])
    assert.equal(codeOf(await get(open, '/api/me', { headers: { 'sec-fetch-site': site } })), 'ORIGIN')
  const headers = { origin: own, 'sec-fetch-site': 'same-origin' }
  assert.equal((await get(open, '/api/me', { headers })).status, 200)
  assert.equal(codeOf(await post(open, '/api/topic/put', {}, { headers })), 'ARGUMENT')
})

test('every changing call needs the header that no form can send, and JSON', async () => {
  for (const { name } of [
    ...endpoints.filter(({ method }) => method === 'POST'),
    { name: 'login' },
    { name: 'logout' },
  ]) {
    const without = await get(open, `/api/${name}`, { method: 'POST', headers: { 'x-skua-dashboard': '' }, body: {} })
    assert.deepEqual([without.status, codeOf(without)], [403, 'HEADER'], name)
    const type = { 'content-type': 'text/plain' }
    assert.equal(codeOf(await post(open, `/api/${name}`, {}, { headers: type })), 'CONTENT_TYPE', name)
  }
})

test('every answer forbids scripts that are not ours, frames, and guesses about its type', async () => {
  for (const path of ['/', '/api/me', '/api/nothing', '/nothing']) {
    const { headers } = await get(open, path)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['access-control-allow-origin'], undefined)
  }
})

test('without accounts it is refused at the start on any address that is not this machine’s own, and by any other name', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.7', 'example.com'])
    await assert.rejects(startDashboard({ namesrvAddr, port: 0, host, page: noPage }), /accounts.*127\.0\.0\.1/s, host)
  assert.throws(
    () => createDashboard({ namesrvAddr, page: noPage, allowedHosts: ['mq.example.com'] }),
    /needs accounts/,
  )
  const address =
    isLoopback('::ffff:127.0.0.1') && isLoopback('127.9.9.9') && !isLoopback('192.0.2.7') && !isLoopback('127.evil')
  assert.ok(!isLoopback('10.0.0.1') && address !== undefined)
})

test('a name behind a proxy is answered where it is allowed, with accounts, and its pages may change', async () => {
  const proxied = await dash({ namesrvAddr, clusters: undefined, accounts, allowedHosts: ['mq.example.com'] })
  try {
    const host = 'mq.example.com'
    assert.equal((await get(proxied, '/api/me', { headers: { host } })).status, 200)
    const headers = { origin: 'https://mq.example.com', 'x-forwarded-proto': 'https' }
    const got = await post(proxied, '/api/login', { name: 'ada', password }, { headers })
    assert.equal(got.status, 200)
    assert.match(String(got.headers['set-cookie']), /; Secure/)
  } finally {
    await proxied.stop()
  }
})

test('with accounts nobody asks anything before he has said who he is', async () => {
  for (const { name, method } of endpoints) {
    const got = await (method === 'GET' ? get(closed, `/api/${name}`) : post(closed, `/api/${name}`, {}))
    assert.deepEqual([got.status, codeOf(got)], [401, 'LOGIN'], name)
  }
  const { body } = await get(closed, '/api/me')
  assert.deepEqual(body, { user: null, accounts: true, readOnly: false, clusters: [] })
})

test('a session is in a cookie that scripts do not see and other sites do not send; signing out ends it', async () => {
  const got = await post(closed, '/api/login', { name: 'ada', password })
  assert.match(String(got.headers['set-cookie']), /^skua_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
  const cookie = String(got.headers['set-cookie']).split(';')[0]!
  const me = async () => (await get(closed, '/api/me', { headers: { cookie } })).body['user']
  assert.deepEqual(await me(), { name: 'ada', role: 'admin' })
  await post(closed, '/api/logout', {}, { headers: { cookie } })
  assert.equal(await me(), null)
  assert.equal(
    (await get(closed, '/api/me', { headers: { cookie: `skua_session=${'A'.repeat(43)}` } })).body['user'],
    null,
  )
})

test('a viewer’s session tries each changing call: all are refused', async () => {
  const cookie = await cookieOf(closed, 'val')
  const changing = endpoints.filter(({ role }) => role === 'admin')
  assert.ok(changing.length >= 15)
  for (const { name, method } of changing) {
    assert.equal(method, 'POST', `${name} changes, so it must not be a GET`)
    const got = await post(closed, `/api/${name}`, {}, { headers: { cookie } })
    assert.deepEqual([got.status, codeOf(got)], [403, 'ROLE'], name)
  }
})

test('a read-only dashboard takes no change, whoever asks', async () => {
  const readOnly = await dash({ namesrvAddr, clusters: undefined, readOnly: true })
  try {
    for (const { name } of endpoints.filter(({ role }) => role === 'admin'))
      assert.equal(codeOf(await post(readOnly, `/api/${name}`, {})), 'ROLE', name)
  } finally {
    await readOnly.stop()
  }
})

test('wrong passwords are bounded, and the right one does not help then', async () => {
  const own = await dash({ namesrvAddr, clusters: undefined, accounts })
  try {
    const wrong = () => post(own, '/api/login', { name: 'ada', password: 'wrong horse' })
    const first = await Promise.all(Array.from({ length: maxTries.ofName }, wrong))
    assert.ok(first.every(got => got.status === 401))
    const next = await post(own, '/api/login', { name: 'ada', password })
    assert.deepEqual([next.status, codeOf(next)], [429, 'TOO_MANY_TRIES'])
    assert.ok(Number(next.headers['retry-after']) > 0)
  } finally {
    await own.stop()
  }
})

test('an account that is taken out of the file is out, with its sessions', async () => {
  const file = join(folder, 'changing')
  writeFileSync(file, readFileSync(accounts))
  const own = await dash({ namesrvAddr, clusters: undefined, accounts: file })
  try {
    const cookie = await cookieOf(own, 'val')
    writeFileSync(file, `${lines[0]}\n`)
    assert.equal((await get(own, '/api/me', { headers: { cookie } })).body['user'], null)
    assert.equal((await post(own, '/api/login', { name: 'val', password })).status, 401)
  } finally {
    await own.stop()
  }
})

test('files of accounts that say nothing, or something else, refuse the start with their line', async () => {
  const file = join(folder, 'broken')
  const start = () => dash({ namesrvAddr, clusters: undefined, accounts: file })
  await assert.rejects(start(), /there is no file/)
  for (const [text, says] of [
    ['', /has no account/],
    ['ada:admin:plain$secret', /broken:1 is no account/],
    [`# names\n${lines[0]}\n${lines[0]}`, /broken:3: there is an account ada before/],
    [lines[0]!.replace('$16384$', '$16383$'), /broken:1: a cost/],
    [lines[0]!.replace(':admin:', ':root:'), /broken:1 is no account/],
  ] as const) {
    writeFileSync(file, text)
    await assert.rejects(start(), says)
  }
  await assert.rejects(accountLine({ name: 'a:b', role: 'view', password }), /no name/)
  await assert.rejects(accountLine({ name: 'a', role: 'view', password: 'short' }), /8 to 256/)
})

test('tries of one address for a name do not shut out others, and are forgotten in time; sessions end', () => {
  const clock = new SimClock()
  const tries = new Tries(clock)
  for (let i = 0; i < maxTries.ofName; i++) tries.failed('ada', '192.0.2.1')
  assert.ok(tries.waitMs('ada', '192.0.2.1') > 0)
  assert.equal(tries.waitMs('ada', '192.0.2.2'), 0)
  assert.equal(tries.waitMs('val', '192.0.2.1'), 0)
  for (let i = 0; i < maxTries.ofAddress; i++) tries.failed(`n${i}`, '192.0.2.1')
  assert.ok(tries.waitMs('val', '192.0.2.1') > 0)
  clock.advance(5 * 60_000 + 1)
  assert.equal(tries.waitMs('ada', '192.0.2.1'), 0)
  for (let i = 0; i < maxTries.ofAll; i++) tries.failed('ada', `192.0.2.${i}`)
  assert.ok(tries.waitMs('val', '198.51.100.1') > 0)

  const sessions = new Sessions(clock)
  const first = sessions.begin('ada', '')
  clock.advance(7 * 3_600_000)
  assert.equal(sessions.find(first)?.name, 'ada')
  clock.advance(8 * 3_600_000 + 1)
  assert.equal(sessions.find(first), undefined)
  const oldest = sessions.begin('ada', '')
  for (let i = 0; i < maxSessions; i++) sessions.begin(`n${i}`, '')
  assert.equal(sessions.find(oldest), undefined)
})

test('secrets are not logged: neither passwords nor bodies stand in what was changed', async () => {
  const own = await dash({ namesrvAddr, clusters: undefined })
  try {
    await post(own, '/api/send', { topic: 'T', body: 'my secret body' })
    const { text } = await get(own, '/api/changes')
    assert.match(text, /"action":"send"/)
    assert.doesNotMatch(text, /my secret body/)
  } finally {
    await own.stop()
  }
})
