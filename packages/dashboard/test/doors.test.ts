import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nodeRuntime, SimClock } from '@skua-mq/runtime'
import { Accounts } from '../src/access/accounts.ts'
import { maxSessionsOfName, Sessions } from '../src/access/sessions.ts'
import { maxTries, Tries } from '../src/access/tries.ts'
import { accountLine, type DashboardListener } from '../src/index.ts'
import { dash, type Got, get, post } from './dash.ts'

/** Nobody answers there: who is not let in needs no cluster. */
const namesrvAddr = '127.0.0.1:1'
const folder = mkdtempSync(join(tmpdir(), 'skua-dashboard-doors-'))
const file = join(folder, 'accounts')
const password = 'correct horse'
const lineOf = (name: string, more = '') => accountLine({ name, role: 'view', password: password + more })
const [ada, val, newVal] = await Promise.all([lineOf('ada'), lineOf('val'), lineOf('val', ' battery')])
const write = (...lines: string[]) => writeFileSync(file, `${lines.join('\n')}\n`)
write(ada!, val!)
after(() => rmSync(folder, { recursive: true }))

const codeOf = ({ body }: Got): string => (body['error'] as unknown as { code: string } | undefined)?.code ?? ''
const userOf = async (at: DashboardListener, headers: Readonly<Record<string, string>>) =>
  (await get(at, '/api/me', { headers })).body['user']
const login = (at: DashboardListener, name: string, said = password) => post(at, '/api/login', { name, password: said })
const cookieOf = ({ headers }: Got) => String(headers['set-cookie']).split(';')[0]!

async function withDash(
  options: Omit<Parameters<typeof dash>[0], 'namesrvAddr' | 'clusters'>,
  use: (at: DashboardListener) => Promise<void>,
): Promise<void> {
  const at = await dash({ namesrvAddr, clusters: undefined, ...options })
  try {
    await use(at)
  } finally {
    await at.stop()
  }
}

test('another password ends the sessions that began with the one of before', () =>
  withDash({ accounts: file }, async at => {
    const [cookie, other] = [cookieOf(await login(at, 'val')), cookieOf(await login(at, 'ada'))]
    write(ada!, newVal!)
    assert.equal(await userOf(at, { cookie }), null)
    assert.deepEqual(await userOf(at, { cookie: other }), { name: 'ada', role: 'view' })
    write(ada!, val!)
  }))

test('signing in again ends the session of before', () =>
  withDash({ accounts: file }, async at => {
    const cookie = cookieOf(await login(at, 'val'))
    const again = await post(at, '/api/login', { name: 'val', password }, { headers: { cookie } })
    assert.equal(await userOf(at, { cookie }), null)
    assert.notEqual(await userOf(at, { cookie: cookieOf(again) }), null)
  }))

test('an authorize that is async, or says something else than a user, lets nobody in', async () => {
  const nobody = [
    async () => undefined,
    () => Promise.reject(new Error('no')),
    () => ({}),
    () => 'val',
    () => ({ name: 'x', role: 'root' }),
  ]
  for (const authorize of nobody)
    await withDash({ authorize: authorize as never }, async at => {
      for (const path of ['/api/me', '/api/changes']) {
        const got = await get(at, path)
        assert.deepEqual([got.status, codeOf(got)], [500, 'AUTHORIZE'], `${path} ${authorize}`)
      }
    })
  await withDash({ authorize: () => ({ name: 'x', role: 'view' }) }, async at =>
    assert.deepEqual(await userOf(at, {}), { name: 'x', role: 'view' }),
  )
})

test('without accounts a proxy on this machine that asks for somebody elsewhere is not this machine', () =>
  withDash({}, async at => {
    for (const headers of [
      { 'x-forwarded-for': '203.0.113.7' },
      { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' },
      { 'x-real-ip': '2001:db8::7' },
      { forwarded: 'for="[2001:db8::7]:4711";proto=https' },
      { forwarded: 'proto=http;for=unknown' },
    ] as Record<string, string>[]) {
      const got = await get(at, '/api/changes', { headers })
      assert.deepEqual([got.status, codeOf(got)], [403, 'LOOPBACK_ONLY'], JSON.stringify(headers))
    }
    for (const headers of [
      { 'x-forwarded-for': '127.0.0.1' },
      { 'x-forwarded-for': '::1, ::ffff:127.0.0.1' },
      { forwarded: 'for="[::1]:4711";host=localhost;by=203.0.113.43' },
    ] as Record<string, string>[])
      assert.equal((await get(at, '/api/changes', { headers })).status, 200, JSON.stringify(headers))
  }))

test('who is told to wait for others who try has used up no try of his own', () =>
  withDash({ accounts: file }, async at => {
    const others = Array.from({ length: 14 }, (_, i) => login(at, `n${i}`, 'wrong horse'))
    const own = Array.from({ length: maxTries.ofName }, () => login(at, 'ada', 'wrong horse'))
    assert.ok((await Promise.all(own)).some(got => got.status === 503))
    await Promise.all(others)
    assert.equal((await login(at, 'ada')).status, 200)
  }))

test(
  'a body without an end of somebody who has not signed in is cut off after some kilobytes',
  { timeout: 10_000 },
  () =>
    withDash({ accounts: file }, async at => {
      const socket = connect(at.port, '127.0.0.1')
      socket.on('error', () => {})
      const head = [
        'POST /api/login HTTP/1.1',
        'Host: localhost',
        'Content-Type: application/json',
        'X-Skua-Dashboard: 1',
      ]
      socket.write(`${head.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n`)
      const chunk = Buffer.from(`400\r\n${'x'.repeat(1024)}\r\n`)
      let told = ''
      socket.on('data', bytes => {
        told += bytes
      })
      for (let sent = 0; sent < 64; sent++) socket.write(chunk)
      await new Promise(resolve => socket.on('close', resolve))
      assert.match(told, /^HTTP\/1\.1 413 /)
      assert.match(told, /connection: close/i)
    }),
)

test('a file of accounts that has become wrong is told of, since whoever was taken out stays in', () => {
  const told: string[] = []
  const accounts = new Accounts(nodeRuntime().disk, file, text => told.push(text))
  writeFileSync(file, `${ada}\nval:view:oops\n`)
  for (let i = 0; i < 3; i++) accounts.current('val', '')
  assert.equal(told.length, 1)
  assert.match(told[0]!, /accounts:2 is no account/)
  write(ada!, val!)
})

test('an account that signed in at an address is not shut out there by guesses from everywhere', () => {
  const tries = new Tries(new SimClock())
  tries.failed('ada', '192.0.2.1')
  tries.succeeded('ada', '192.0.2.1')
  for (let i = 0; i < maxTries.ofAll; i++) tries.failed('ada', `198.51.100.${i}`)
  assert.equal(tries.waitMs('ada', '192.0.2.1'), 0)
  assert.ok(tries.waitMs('val', '192.0.2.1') > 0)
  for (let i = 0; i < maxTries.ofName; i++) tries.failed('ada', '192.0.2.1')
  assert.ok(tries.waitMs('ada', '192.0.2.1') > 0, 'his own wrong ones count')
})

test('signing in very often ends the sessions of nobody else', () => {
  const sessions = new Sessions(new SimClock())
  const first = sessions.begin('ada', '')
  const own = sessions.begin('val', '')
  for (let i = 0; i < 2_000; i++) sessions.begin('val', '')
  assert.equal(sessions.find(first)?.name, 'ada')
  assert.equal(sessions.find(own), undefined)
  assert.ok(maxSessionsOfName < 1_000)
})
