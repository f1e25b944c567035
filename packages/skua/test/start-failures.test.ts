import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Broker, brokerOptions } from '@skua-mq/broker'
import { configOf, nodeRuntime, simRuntime } from '@skua-mq/runtime'
import { portsBy, startFailure } from '../src/command/start-failure.ts'
import { freePorts } from '../src/index.ts'
import { bundle, ServerProcess } from './server-process.ts'

const home = mkdtempSync(join(tmpdir(), 'skua-start-'))
const isRoot = process.getuid?.() === 0
/** Nobody: who is root may write everywhere, so that the tests need somebody who may not. */
const nobody = 65_534
after(() => rmSync(home, { recursive: true, force: true }))
before(() => {
  chmodSync(home, 0o755)
  writeFileSync(join(home, 'file'), '')
  mkdirSync(join(home, 'closed'))
  chmodSync(join(home, 'closed'), 0o555)
})

interface Case {
  readonly args: () => readonly string[]
  readonly says: RegExp
  /** As somebody without rights. */
  readonly asNobody?: boolean
  readonly skip?: boolean
}
const free = ['--port', '0']

const cases: Record<string, Case> = {
  'a store where nothing can be made': {
    args: () => ['--store', '/proc/foo', ...free],
    says: /^skua: \/proc\/foo: no directory can be made there \(ENOENT\); --store names another directory than \/proc\/foo$/,
    skip: process.platform !== 'linux',
  },
  'a store that is a file': {
    args: () => ['--store', join(home, 'file'), ...free],
    says: /^skua: .*\/file: a file stands where a directory is wanted \(ENOTDIR\); --store names another directory/,
  },
  'a store below a file': {
    args: () => ['--store', join(home, 'file/below'), ...free],
    says: /^skua: .*\/file.*: a file stands where a directory is wanted \(ENOTDIR\); --store names another directory/,
  },
  'a store that this user may not make': {
    args: () => ['--store', join(home, 'closed/store'), ...free],
    says: /^skua: .*\/closed\/store: this user may not write there \(EACCES\); make it this user’s, or: --store names another/,
    asNobody: true,
  },
  'a store that this user may not write': {
    args: () => ['--store', join(home, 'closed'), ...free],
    says: /^skua: .*\/closed\S*: this user may not write there \(EACCES\); make it this user’s, or: --store names another/,
    asNobody: true,
  },
  'a port that has none two below it': {
    args: () => ['--memory', '--port', '2'],
    says: /^skua: --port 2: listenPort=2 must be from 3 to 65534: the broker also listens on that minus 2 and plus 1$/,
  },
  'the last port, that has none above it': {
    args: () => ['--memory', '--port', '65535'],
    says: /^skua: --port 65535: listenPort=65535 must be from 3 to 65534/,
  },
  'a name server on a port of the broker': {
    args: () => ['--memory', '--port', '10911', '--namesrv-port', '10912'],
    says: /^skua: --namesrv-port 10912: that is the broker’s port of slaves \(listenPort \+ 1\); --port is 10911$/,
  },
  'a key that a flag says': {
    args: () => ['--memory', '--port', '0', '--config', 'listenPort=5'],
    says: /^skua: --config: listenPort is said by --port here$/,
  },
  'an address that is not of this machine': {
    args: () => ['--memory', '--port', '0', '--host', '192.0.2.1'],
    says: /^skua: cannot listen on 192\.0\.2\.1:\d+: no such address on this machine \(EADDRNOTAVAIL\); --host says the address$/,
  },
  'a port below 1024 without rights': {
    args: () => ['--memory', '--port', '700', '--namesrv-port', '699'],
    says: /^skua: cannot listen on 127\.0\.0\.1:(699|700): not permitted \(EACCES\); ports below 1024 take rights \(CAP_NET_BIND_SERVICE\); say one above with --(port|namesrv-port)$/,
    asNobody: true,
    skip: lowestFreePort() <= 701,
  },
  'a configuration file that is not there': {
    args: () => ['broker', '-c', join(home, 'none.conf')],
    says: /^skua: .*\/none\.conf: no such file \(ENOENT\)$/,
  },
  'a configuration file that is a directory': {
    args: () => ['broker', '-c', home],
    says: /^skua: .*: it is a directory \(EISDIR\)$/,
  },
}

function lowestFreePort(): number {
  const file = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
}

for (const [what, { args, says, asNobody = false, skip = false }] of Object.entries(cases)) {
  test(`one line with cause and remedy, and exit code 1: ${what}`, { skip }, () => {
    const user = asNobody && isRoot ? { uid: nobody, gid: nobody } : {}
    const { status, stderr, stdout } = spawnSync(process.execPath, [bundle, ...args()], {
      ...{ cwd: home, encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' },
      ...user,
    })
    assert.equal(status, 1, stderr)
    assert.match(stderr.trimEnd(), says)
    assert.deepEqual([stderr.trimEnd().split('\n').length, stdout], [1, ''])
  })
}

test('a port in use names the setting that says it, also where it is that minus 2 or plus 1', async () => {
  for (const [beside, by] of [
    [0, '--port'],
    [-2, '--port (the port is that - 2)'],
    [1, '--port (the port is that + 1)'],
    [-1, '--namesrv-port'],
  ] as const) {
    const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
    assert.equal(nameServer, broker - 1)
    const holder = createServer().listen(broker + beside, '127.0.0.1')
    await new Promise(resolve => holder.once('listening', resolve))
    const skua = ServerProcess.skua(['--memory', '--port', String(broker), '--namesrv-port', String(nameServer)])
    assert.equal(await skua.exit(), 1)
    const where = `127.0.0.1:${broker + beside}`
    const remedy = `end who listens there, or say another port with ${by}`
    assert.equal(skua.errors, `skua: cannot listen on ${where}: the address is in use (EADDRINUSE); ${remedy}\n`)
    holder.close()
  }
})

test('a broker alone names the key and its file', async () => {
  const { broker } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const file = join(home, 'broker.conf')
  writeFileSync(file, `listenPort=${broker}\nbrokerIP1=127.0.0.1\nstorePathRootDir=${join(home, 'alone')}\n`)
  const holder = createServer().listen(broker)
  await new Promise(resolve => holder.once('listening', resolve))
  const process = ServerProcess.skua(['broker', '-c', file])
  assert.equal(await process.exit(), 1)
  assert.match(
    process.errors,
    new RegExp(`^skua: cannot listen on any address:${broker}: .*another port with listenPort of ${file}\n$`),
  )
  holder.close()
})

test('a store that another process has open names its pid', async () => {
  const start = async () => {
    const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
    const args = ['--store', join(home, 'shared'), '--port', String(broker), '--namesrv-port', String(nameServer)]
    return ServerProcess.skua(args)
  }
  const first = await start()
  await first.says(/Skua is ready/)
  const second = await start()
  assert.equal(await second.exit(), 1)
  const where = `the store ${join(home, 'shared')} is open in another process (pid ${first.child.pid})`
  const remedy = 'end that one first, or name another directory with --store'
  assert.equal(second.errors, `skua: ${where}: ${remedy}\n`)
  await first.signal('SIGTERM')
})

test('a file system that is read-only, a full one and a broken one', async () => {
  for (const [code, says] of [
    [
      'EROFS',
      /^\/store\S*: the file system is read-only \(EROFS\); mount it to be written, or: storePathRootDir names another/,
    ],
    ['ENOSPC', /^\/store\S*: the disk is full \(ENOSPC\); make room, or: storePathRootDir names another/],
    ['EIO', /^\/store\S*: the disk fails \(EIO\); storePathRootDir names another/],
  ] as const) {
    const runtime = simRuntime({ seed: 1, host: 'broker' })
    runtime.disk.faults.fail({ on: 'names', code })
    runtime.disk.faults.fail({ on: 'open', code })
    const facts = { pid: 1, bootId: 'boot', startedAt: () => undefined, lockHolder: () => undefined }
    const config = configOf(brokerOptions, { storePathRootDir: '/store' })
    const broker = new Broker({ config, runtime, facts, totalMemoryBytes: 2 ** 30 })
    const error = await runtime.clock.until(broker.start()).catch((reason: unknown) => reason)
    const places = {
      root: '/store',
      rootBy: 'storePathRootDir',
      ports: new Map(portsBy(10_911, 'listenPort')),
      hostBy: 'brokerIP1',
    }
    assert.match((startFailure(error, places) as Error).message, says)
  }
})
