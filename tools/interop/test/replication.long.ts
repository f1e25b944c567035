// Masters and slaves of both kinds, in both directions: the logs are the same byte for byte, and who consumes goes on at
// the slave when the master is gone.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Broker, type BrokerConfig, brokerOptions } from '@skua-mq/broker'
import { configOf, EventHub, NodeProcessFacts, nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from 'skua'
import { askedDialect } from '../src/asked-dialect.ts'
import type { Driver } from '../src/driver.ts'
import { type JavaVersion, javaClient } from '../src/java-client.ts'
import { type ReferenceVersion, referenceVersions } from '../src/reference/jars.ts'
import { startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'

/** Small files, so that some thousand messages fill several. */
const geometry = { mappedFileSizeCommitLog: 1024 * 1024 }
const clientOf: Record<ReferenceVersion, JavaVersion> = { '4.9.7': '4.9.8', '5.3.3': '5.3.3' }
const topic = 'Replicated'
const count = 4000
const skip = skipWithout('java')

interface Sent {
  status: string
  msgId: string
}

/** A broker of ours at somebody's name server. */
async function startOurs(store: string, namesrvAddr: string, config: Partial<BrokerConfig>) {
  const runtime = nodeRuntime(new EventHub())
  const host = '127.0.0.1'
  const { broker: listenPort } = await freePorts(runtime.net, host)
  const own = { brokerName: 'broker-a', brokerIP1: host, listenPort, namesrvAddr, storePathRootDir: store }
  const broker = new Broker({
    config: configOf(brokerOptions, { ...askedDialect(), ...own, ...geometry, ...config }),
    ...{ runtime, facts: new NodeProcessFacts(), bindAddress: host, totalMemoryBytes: totalmem() },
  })
  await broker.start()
  return broker
}

/** The log of a store, up to where its messages end. */
function logOf(store: string): Buffer {
  const dir = join(store, 'commitlog')
  const files = readdirSync(dir).filter(name => /^\d{20}$/.test(name))
  return Buffer.concat(files.sort().map(name => readFileSync(join(dir, name))))
}

/** The same bytes; one may have made a further file that is empty. */
function isSame(a: Buffer, b: Buffer): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  return long.subarray(0, short.length).equals(short) && long.subarray(short.length).every(byte => byte === 0)
}

const topicsOf = (store: string): string => {
  const path = join(store, 'config', 'topics.json')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const sends = (java: Driver, namesrv: string, request: Record<string, unknown>) =>
  java.call<Sent[]>('send', { namesrv, topic, timeoutMs: 10_000, ...request })

/** A slave asks its name server every 30 s, and Java's reports 5 s after it has connected. */
async function sendsUntilOk(java: Driver, namesrv: string): Promise<Sent[]> {
  const sent: Sent[] = []
  await until(
    async () => {
      sent.push(...(await sends(java, namesrv, { count: 1, body: 'is it there?' })))
      return sent.at(-1)?.status === 'SEND_OK'
    },
    'the slave is waited for',
    60_000,
  )
  return sent
}

/** All that was sent, consumed where only a slave is left. */
async function consumeAll(java: Driver, namesrv: string, sent: readonly Sent[]): Promise<void> {
  await java.call('push', { namesrv, topic, name: 'at the slave', group: 'at-the-slave' })
  await until(
    async () => {
      const got = await java.call<{ msgId: string }[]>('received', { name: 'at the slave', count: count, timeoutMs: 1 })
      const ids = new Set(got.map(({ msgId }) => msgId))
      return sent.every(({ msgId }) => ids.has(msgId))
    },
    'every message is consumed',
    90_000,
  )
}

for (const version of referenceVersions) {
  describe(`replication with RocketMQ ${version}`, { skip }, () => {
    test('a slave of ours follows its master, and is read when that is gone', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'skua-slave-'))
      const master = await startReference({ version, conf: { ...geometry, brokerRole: 'SYNC_MASTER' } })
      const java = await javaClient(clientOf[version])
      const slave = await startOurs(dir, master.namesrvAddr, {
        brokerRole: 'SLAVE',
        brokerId: 1,
        slaveReadEnable: true,
      })
      try {
        // The first ones may come before the slave is there; they are stored all the same.
        const sent = await sendsUntilOk(java, master.namesrvAddr)
        sent.push(...(await sends(java, master.namesrvAddr, { count, body: 'x'.repeat(500), tag: 'A' })))
        assert.equal(sent.at(-1)?.status, 'SEND_OK')
        const equal = () => isSame(logOf(dir), logOf(join(master.dir, 'store')))
        await until(async () => equal(), 'the logs are the same, byte for byte')
        await until(async () => topicsOf(dir).includes(topic), 'the slave knows the topic')
        await master.killBroker()
        await consumeAll(java, master.namesrvAddr, sent)
      } finally {
        await java.kill()
        await slave.stop()
        await master.stop('SIGKILL')
        rmSync(dir, { recursive: true, force: true })
      }
    })

    test('its slave follows a master of ours, and is read when that is gone', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'skua-master-'))
      const conf = { ...geometry, brokerRole: 'SLAVE', brokerId: 1, slaveReadEnable: true }
      const slave = await startReference({ version, conf })
      const java = await javaClient(clientOf[version])
      const ours = await startOurs(dir, slave.namesrvAddr, { brokerRole: 'SYNC_MASTER' })
      try {
        const sent = await sends(java, slave.namesrvAddr, { count: 10, body: 'first' })
        sent.push(...(await sendsUntilOk(java, slave.namesrvAddr)))
        sent.push(...(await sends(java, slave.namesrvAddr, { count, body: 'x'.repeat(500), tag: 'A' })))
        assert.ok(sent.slice(-count).every(({ status }) => status === 'SEND_OK'))
        const equal = () => isSame(logOf(dir), logOf(join(slave.dir, 'store')))
        await until(async () => equal(), 'the logs are the same, byte for byte')
        // Its tables follow every 10 s, or every minute.
        await until(async () => topicsOf(join(slave.dir, 'store')).includes(topic), 'the slave knows the topic', 90_000)
        await ours.stop()
        await consumeAll(java, slave.namesrvAddr, sent)
      } finally {
        await java.kill()
        await ours.stop().catch(() => {})
        await slave.stop('SIGKILL')
        rmSync(dir, { recursive: true, force: true })
      }
    })
  })
}
