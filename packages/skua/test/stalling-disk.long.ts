// A disk that writes 20 MB/s (the block layer's throttle, where the user may set it) under a broker that is sent more.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { getBrokerRuntimeInfo } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { ServerProcess } from './server-process.ts'

const MB = 1_000_000
const limitBytes = 20 * MB
const seconds = 30
const throttles = '/sys/fs/cgroup/blkio'

/** The whole disk that holds a path, as `major:minor`; the throttle knows no partitions. */
function deviceOf(path: string): string | undefined {
  const { dev } = statSync(path)
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)]
  const entry = `/sys/dev/block/${major}:${minor}`
  if (!existsSync(entry)) return undefined
  return existsSync(`${entry}/partition`) ? readFileSync(`${entry}/../dev`, 'utf8').trim() : `${major}:${minor}`
}

/** A group of processes whose writes to the disk of `path` are throttled; undefined where this user may not. */
function throttled(path: string): { name: string; add: (pid: number) => void; remove: () => void } | undefined {
  const name = join(throttles, `skua-${process.pid}`)
  try {
    const device = deviceOf(path)
    if (device === undefined) return undefined
    mkdirSync(name)
    writeFileSync(join(name, 'blkio.throttle.write_bps_device'), `${device} ${limitBytes}`)
    const add = (pid: number) => writeFileSync(join(name, 'cgroup.procs'), String(pid))
    return { name, add, remove: () => rmdirSync(name) }
  } catch {
    if (existsSync(name)) rmdirSync(name)
    return undefined
  }
}

const home = mkdtempSync(join(tmpdir(), 'skua-stall-'))
const group = throttled(home)
const skip = group === undefined ? 'this user may not throttle a disk' : false

for (const flushDiskType of ['ASYNC_FLUSH', 'SYNC_FLUSH']) {
  test(`${flushDiskType} on a disk of 20 MB/s: heartbeats are answered, consumers go on, refusals name the cause`, {
    skip,
  }, async t => {
    const store = join(home, flushDiskType)
    t.after(() => rmSync(store, { recursive: true, force: true }))
    const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
    const settings = { flushDiskType, maxDirtyBytes: 64 * MB, flushDirtyBytes: 16 * MB }
    const config = Object.entries(settings).flatMap(([key, value]) => ['--config', `${key}=${value}`])
    const ports = ['--port', String(broker), '--namesrv-port', String(nameServer)]
    const server = ServerProcess.skua(['--store', store, ...ports, ...config])
    await server.says(/Ctrl-C/)
    t.after(() => server.child.kill('SIGKILL'))
    group!.add(server.child.pid!)

    const namesrvAddr = `127.0.0.1:${nameServer}`
    const until = performance.now() + seconds * 1000
    const remarks = new Map<string, number>()
    let sent = 0
    const flood = async (at: number) => {
      const producer = new Producer({
        namesrvAddr,
        group: `flood${at}`,
        retryTimesWhenSendFailed: 0,
        sendMsgTimeout: 15_000,
      })
      await producer.start()
      const body = randomBytes(64 * 1024)
      while (performance.now() < until) {
        try {
          const { sendStatus } = await producer.send({ topic: 'Flood', body })
          if (sendStatus === 'SEND_OK') sent++
        } catch (error) {
          const remark = String((error as Error).message).replace(/\d+/g, 'N')
          remarks.set(remark, (remarks.get(remark) ?? 0) + 1)
          await new Promise(resolve => setTimeout(resolve, 50))
        }
      }
      await producer.close()
    }
    const consumer = new PushConsumer({ namesrvAddr, group: 'quiet' })
    let consumed = 0
    consumer.subscribe('Flood')
    consumer.onMessage(async () => void consumed++)
    const watch = async () => {
      const client = new RemotingClient(nodeRuntime())
      let longest = 0
      while (performance.now() < until) {
        const begun = performance.now()
        const { code } = await client.request(`127.0.0.1:${broker}`, getBrokerRuntimeInfo, {}, { timeoutMs: 10_000 })
        assert.equal(code, 0)
        longest = Math.max(longest, performance.now() - begun)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      await client.close()
      return longest
    }
    const floods = Promise.all(Array.from({ length: 16 }, (_, at) => flood(at)))
    await new Promise(resolve => setTimeout(resolve, 500))
    await consumer.start()
    const longest = await watch()
    await floods
    await consumer.close()
    t.diagnostic(`longest loop stall: ${Math.round(longest)} ms; ${sent} sends of 64 KiB, ${consumed} consumed`)
    for (const [remark, count] of remarks) t.diagnostic(`${count} x ${remark}`)
    assert.ok(sent * 65_536 < limitBytes * seconds * 1.5 + 64 * MB, `${sent} sends: the disk was not throttled`)
    assert.ok(consumed > sent / 2, `${consumed} of ${sent} consumed`)
    const { ms } = await server.signal('SIGTERM')
    t.diagnostic(`stopped within ${Math.round(ms)} ms`)
  })
}

test.after(async () => {
  // A group is only free some moments after its processes.
  await new Promise(resolve => setTimeout(resolve, 1000))
  rmSync(home, { recursive: true, force: true })
  group?.remove()
})
