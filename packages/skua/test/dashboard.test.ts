import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts, startStandalone } from 'skua'
import { clustersOf } from '../src/command/dashboard.ts'
import { defaultDashboardPort } from '../src/command/dashboard-options.ts'
import { dashboardPlan, wishOf } from '../src/command/dashboard-sidecar.ts'
import { bundle, ServerProcess } from './server-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'skua-dashboard-'))
const open: ServerProcess[] = []
after(async () => {
  for (const one of open) if (one.child.exitCode === null) await one.signal('SIGKILL')
  rmSync(folder, { recursive: true })
})
const skua = (...args: string[]): ServerProcess => {
  const made = ServerProcess.skua(args)
  open.push(made)
  return made
}
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(one => one !== '')
    .map(Number)
async function until(what: string, is: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (is()) return
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  throw new Error(`never ${what}`)
}
const overview = async (url: string) =>
  (await (await fetch(`${url}api/overview`)).json()) as { brokers: { brokerName: string }[] }

test('npm start serves it beside the broker, in a process of its own that ends with it, however that ends', async () => {
  for (const end of ['SIGINT', 'SIGKILL'] as const) {
    const own = skua('--memory', '--port', '0', '--no-grpc', '--dashboard-port', '0')
    const [, url] = await own.says(/^Dashboard: (http:\S+)$/m)
    assert.equal((await overview(url!)).brokers[0]?.brokerName, 'broker-a')
    assert.match(await (await fetch(url!)).text(), /<script type="module" src="app\.js">/)
    const children = childrenOf(own.child.pid!)
    assert.equal(children.length, 1)
    await own.signal(end)
    await until('gone', () => !isAlive(children[0]!))
  }
})

test('a port that is taken takes nothing with it: the broker runs and says what to do', async () => {
  const own = skua('--memory', '--port', '0', '--no-grpc', '--dashboard-port', '0')
  const [, port] = await own.says(/^Dashboard: http:\S+:(\d+)\/$/m)
  const other = skua('--memory', '--port', '0', '--no-grpc', '--dashboard-port', port!)
  await other.says(/Skua is ready/)
  await until('told', () => /no dashboard: .*port \d+ is taken/.test(other.errors))
  assert.equal((await other.signal('SIGTERM')).code, 0)
})

test('who takes any port wants none, and --no-dashboard is none; else 8090 where it is free, or what is named', () => {
  const bounds = { dashboardMaxStreams: 32, dashboardMaxStreamsPerUser: 16 }
  const off = { dashboardPort: 0, dashboardBindAddress: '127.0.0.1', dashboardAccountsFile: '', ...bounds }
  assert.equal(dashboardPlan({ port: 0 }, off), undefined)
  assert.equal(dashboardPlan({ port: 10911, dashboard: false }, { ...off, dashboardPort: 9000 }), undefined)
  const plain = dashboardPlan({ port: 10911 }, off)
  assert.deepEqual([plain?.port, plain?.isOptional], [defaultDashboardPort, true])
  assert.deepEqual(
    [
      dashboardPlan({ port: 0, dashboardPort: 0 }, off)?.port,
      dashboardPlan({ port: 0 }, { ...off, dashboardPort: 9000 })?.port,
    ],
    [0, 9000],
  )
  assert.equal(wishOf(off), undefined)
  assert.equal(wishOf({ ...off, dashboardPort: 9000 })?.port, 9000)
})

test('dashboardPort of broker.conf serves it, and stays off without', async () => {
  const cluster = await startStandalone({ port: 0, store: 'memory' })
  try {
    const conf = join(folder, 'broker.conf')
    writeFileSync(conf, `listenPort=0\nbrokerName=broker-b\nbrokerIP1=127.0.0.1\nstorePathRootDir=${folder}/store\n`)
    const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
    const own = ServerProcess.skua(['broker', '-c', conf, '-n', cluster.namesrvAddr], {
      env: {
        SKUA_DASHBOARD_PORT: String(nameServer),
        SKUA_LISTEN_PORT: String(broker),
        SKUA_DASHBOARD_MAX_STREAMS_PER_USER: '1',
      },
    })
    open.push(own)
    const [, url] = await own.says(/^Dashboard: (http:\S+)$/m)
    assert.ok((await overview(url!)).brokers.some(({ brokerName }) => brokerName === 'broker-b'))
    const changes = (await (await fetch(`${url}api/changes`)).json()) as { file: string | null }
    assert.equal(changes.file, join(folder, 'store', 'dashboard', 'changes.jsonl'))
    const gone = new AbortController()
    const tails = await Promise.all(
      [1, 2].map(() => fetch(`${url}api/tail?topic=broker-b`, { signal: gone.signal }).then(({ status }) => status)),
    )
    gone.abort()
    assert.deepEqual(tails.sort(), [200, 503])
    await own.signal('SIGTERM')
  } finally {
    await cluster.stop()
  }
})

test('startStandalone({ dashboard: true }) says where it is; skua dashboard looks at several clusters', async () => {
  const a = await startStandalone({ port: 0, store: 'memory', dashboard: true, config: { brokerName: 'broker-a' } })
  const b = await startStandalone({ port: 0, store: 'memory', config: { brokerName: 'broker-b' } })
  try {
    assert.equal((await overview(a.dashboardUrl!)).brokers[0]?.brokerName, 'broker-a')
    assert.equal(b.dashboardUrl, undefined)
    const both = skua('dashboard', '-n', `one=${a.namesrvAddr}`, '-n', `two=${b.namesrvAddr}`, '--port', '0')
    const [, url] = await both.says(/(http:\S+)/)
    const me = (await (await fetch(`${url}api/me`)).json()) as { clusters: { name: string }[] }
    assert.deepEqual(
      me.clusters.map(({ name }) => name),
      ['one', 'two'],
    )
    const { brokers } = (await (await fetch(`${url}api/overview?cluster=two`)).json()) as {
      brokers: { brokerName: string }[]
    }
    assert.equal(brokers[0]?.brokerName, 'broker-b')
    assert.equal((await both.signal('SIGTERM')).code, 0)
  } finally {
    await Promise.all([a.stop(), b.stop()])
  }
})

test('accounts: made by skua dashboard-account with the password from standard input, needed for any other address', async () => {
  const refused = skua('dashboard', '-n', '127.0.0.1:1', '--host', '0.0.0.0', '--port', '0')
  assert.equal(await refused.exit(), 1)
  assert.match(refused.errors, /0\.0\.0\.0 is not an address of this machine alone.*--accounts/)
  const file = join(folder, 'accounts')
  const { spawnSync } = await import('node:child_process')
  for (const [name, role] of [
    ['ada', 'admin'],
    ['val', 'view'],
    ['ada', 'admin'],
  ] as const) {
    const { status, stdout } = spawnSync(process.execPath, [bundle, 'dashboard-account', file, name, '--role', role], {
      input: 'correct horse\n',
    })
    assert.equal(status, 0, String(stdout))
  }
  assert.deepEqual(
    readFileSync(file, 'utf8')
      .split('\n')
      .map(line => line.split(':')[0]),
    ['val', 'ada', ''],
  )
  assert.doesNotMatch(readFileSync(file, 'utf8'), /correct horse/)
  const own = skua('dashboard', '-n', '127.0.0.1:1', '--host', '0.0.0.0', '--port', '0', '--accounts', file)
  const [, url] = await own.says(/(http:\S+)/)
  const headers = { 'content-type': 'application/json', 'x-skua-dashboard': '1' }
  const body = JSON.stringify({ name: 'ada', password: 'correct horse' })
  assert.equal((await fetch(`${url}api/login`, { method: 'POST', headers, body })).status, 200)
  assert.equal((await fetch(`${url}api/overview`)).status, 401)
  await own.signal('SIGTERM')
})

test('-n takes a name before the address', () => {
  const common = { port: 0, host: '', timeoutMs: 1 }
  const names = (...namesrvAddr: string[]) =>
    clustersOf({ ...common, namesrvAddr }).map(one => [one.name, one.namesrvAddr])
  assert.deepEqual(names('a:1;b:1', 'prod=c:1;d:1'), [
    ['a:1;b:1', 'a:1;b:1'],
    ['prod', 'c:1;d:1'],
  ])
})
