import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PullConsumer } from '@skua-mq/client'
import { sendMessageV2 } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { repository, ServerProcess } from './server-process.ts'

const MiB = 1024 * 1024
const mayMount = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0
const skip = mayMount ? false : 'this user may not mount a file system of its own'

test('a real full disk loses nothing: refusals with the cause, no false acknowledgement, and it goes on when space is back', {
  skip,
}, async t => {
  const home = mkdtempSync(join(tmpdir(), 'skua-full-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const bundle = join(repository, 'packages', 'skua', 'dist', 'bundle', 'main.js')
  const store = join(home, 'disk', 'store')
  const settings = {
    mappedFileSizeCommitLog: 4 * MiB,
    mappedFileSizeConsumeQueue: 60_000,
    maxHashSlotNum: 1000,
    maxIndexNum: 4000,
    // The watermarks would refuse before the disk is really full.
    diskMaxUsedSpaceRatio: 95,
    diskSpaceCleanForciblyRatio: 100,
    diskSpaceWarningLevelRatio: 100,
  }
  const flags = ['--store', store, '--port', String(broker), '--namesrv-port', String(nameServer)]
  const config = Object.entries(settings).flatMap(([key, value]) => ['--config', `${key}=${value}`])
  const disk = `mkdir -p ${home}/disk && mount -t tmpfs -o size=40m tmpfs ${home}/disk && head -c 16m /dev/zero > ${home}/disk/ballast`
  // A mount of its own, which ends with it.
  const server = new ServerProcess('unshare', [
    '-m',
    'sh',
    '-c',
    `${disk} && exec "$@"`,
    'sh',
    process.execPath,
    bundle,
    ...flags,
    ...config,
  ])
  await server.says(/Ctrl-C/)

  const client = new RemotingClient(nodeRuntime())
  const acknowledged: number[] = []
  const send = async (number: number) => {
    const header = {
      producerGroup: 'p',
      topic: 'Full',
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: 1,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      flag: 0,
      unitMode: false,
      batch: false,
    }
    const body = Buffer.alloc(20_000, `${number} `)
    const reply = await client.request(`127.0.0.1:${broker}`, sendMessageV2, header, { body, timeoutMs: 10_000 })
    if (reply.code === 0) acknowledged.push(number)
    return reply
  }
  let number = 0
  let refused = await send(number++)
  while (refused.code === 0 && number < 5000) refused = await send(number++)
  assert.ok(acknowledged.length > 500, `${acknowledged.length} before the disk was full`)
  assert.notEqual(refused.code, 0)
  assert.match(refused.remark ?? '', /ENOSPC/)
  assert.match(server.errors, /store refuses messages/)
  for (let i = 0; i < 20; i++) assert.notEqual((await send(number++)).code, 0)

  rmSync(`/proc/${server.child.pid}/root${home}/disk/ballast`)
  const until = Date.now() + 20_000
  while ((await send(number++)).code !== 0 && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 200))
  for (let i = 0; i < 20; i++) assert.equal((await send(number++)).code, 0)
  assert.match(server.errors, /store takes messages again/)

  const consumer = new PullConsumer({ namesrvAddr: `127.0.0.1:${nameServer}`, group: 'g' })
  await consumer.start()
  const [queue] = await consumer.fetchSubscribeMessageQueues('Full')
  const found: number[] = []
  for (let offset = 0; offset < (await consumer.maxOffset(queue!)); ) {
    const { messages, nextBeginOffset } = await consumer.pull(queue!, offset)
    for (const { body } of messages) found.push(Number.parseInt(Buffer.from(body).toString(), 10))
    offset = nextBeginOffset
  }
  await consumer.close()
  await client.close()
  assert.deepEqual(found, acknowledged)
  const { code } = await server.signal('SIGTERM')
  assert.equal(code, 0)
  t.diagnostic(`${acknowledged.length} acknowledged`)
})
