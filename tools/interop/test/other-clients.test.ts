import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { updateAndCreateTopic } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import type { Standalone } from 'skua'
import { brokerOf } from '../../bench/src/load.ts'
import { aliOns } from '../src/ali-ons.ts'
import type { Driver } from '../src/driver.ts'
import { goClient } from '../src/go-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'

interface Got {
  msgId: string
  tags: string
  body: string
}

const clients = [
  {
    title: 'the official Go client',
    open: goClient,
    skip: skipWithout('go'),
    modes: ['sync', 'async', 'oneway', 'batch'],
  },
  { title: 'ali-ons', open: aliOns, skip: false, modes: ['sync'] },
] as const

for (const { title, open, skip, modes } of clients) {
  describe(title, { skip }, () => {
    const store = mkdtempSync(join(tmpdir(), 'skua-other-'))
    let skua: Standalone
    let client: Driver
    let namesrv = process.env['SKUA_NAMESRV'] ?? ''
    const owned = namesrv === ''
    const name = (what: string) => `${what}_${title.replaceAll(/\W/g, '')}_${process.pid}`
    // ali-ons knows no automatic creation: its topics must be there.
    const create = async (topic: string) => {
      const tool = new RemotingClient(nodeRuntime())
      const { host, port } = await brokerOf(namesrv, 'TBW102')
      const header = {
        topic,
        defaultTopic: 'TBW102',
        readQueueNums: 4,
        writeQueueNums: 4,
        perm: 6,
        topicFilterType: 'SINGLE_TAG',
        topicSysFlag: 0,
        order: false,
      }
      const reply = await tool.request(`${host}:${port}`, updateAndCreateTopic, header)
      assert.equal(reply.code, 0)
      await tool.close()
    }
    const send = (topic: string, request: Record<string, unknown>) =>
      client.call<{ status: string; msgId: string }[]>('send', { namesrv, topic, ...request })
    const received = (consumer: string, count: number, timeoutMs = 15_000) =>
      client.call<Got[]>('received', { name: consumer, count, timeoutMs })

    before(async () => {
      if (owned) skua = await startSkua({ port: 0, store })
      if (owned) namesrv = skua.namesrvAddr
    })
    // A Go producer loses its routes when a consumer of the same process shuts down: each test has a process of its own.
    beforeEach(async () => {
      client = await open()
    })
    afterEach(() => client.kill())
    after(async () => {
      if (owned) await skua?.stop()
      rmSync(store, { recursive: true, force: true })
    })

    test('sends in all its ways and consumes by tag', async () => {
      const topic = name('Tags')
      if (title === 'ali-ons') await create(topic)
      for (const mode of modes) {
        const sent = await send(topic, { mode, tags: ['A', 'B'], count: 4 })
        assert.ok(sent.every(result => result.status === 'SEND_OK'))
      }
      await client.call('push', { namesrv, topic, name: 'tags', group: name('tags'), tags: 'A' })
      const got = await received('tags', 2 * modes.length)
      assert.equal(got.length, 2 * modes.length)
      assert.ok(got.every(message => message.tags === 'A'))
      await client.call('stopConsumer', { name: 'tags' })
    })

    test('goes on from its offsets after a restart of the consumer and of the broker', async () => {
      const topic = name('Offsets')
      const group = name('offsets')
      if (title === 'ali-ons') await create(topic)
      await send(topic, { count: 6, tag: 'early' })
      await client.call('push', { namesrv, topic, name: 'before', group })
      assert.equal(new Set((await received('before', 6)).map(message => message.msgId)).size, 6)
      // Both clients commit every few seconds, and at shutdown.
      await client.call('stopConsumer', { name: 'before' })
      await client.kill()
      client = await open()
      if (owned) {
        const [host, port] = (skua.brokers[0]?.address ?? '').split(':')
        await skua.stop()
        skua = await startSkua({
          host: host ?? '',
          port: Number(port),
          nameServerPort: Number(namesrv.split(':')[1]),
          store,
        })
      }
      await until(
        async () => (await send(topic, { tag: 'late' }).catch(() => [])).length === 1,
        'the broker takes messages again',
      )
      await client.call('push', { namesrv, topic, name: 'after', group })
      await until(
        async () => (await received('after', 1)).some(message => message.tags === 'late'),
        'the late message comes',
      )
      const early = (await received('after', 99, 500)).filter(message => message.tags === 'early')
      assert.deepEqual(early, [])
      await client.call('stopConsumer', { name: 'after' })
    })
  })
}
