import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Standalone, startStandalone } from 'skua'
import { type Driver, DriverError } from '../src/driver.ts'
import { javaClient, javaVersions } from '../src/java-client.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'

interface Sent {
  msgId: string
  offsetMsgId: string
  queueId: number
  brokerName: string
  queueOffset: number
}
interface Got {
  msgId: string
  keys: string
  body: string
  properties: Record<string, string>
}

const skip = skipWithout('java')
const refusal = (code: number, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DriverError)
  assert.equal(error.code, code, error.message)
  assert.match(error.message, text)
  return true
}

for (const version of javaVersions) {
  describe(`filters and queries with the official Java client ${version}`, { skip }, () => {
    const store = mkdtempSync(join(tmpdir(), 'skua-java-queries-'))
    let skua: Standalone
    let java: Driver
    let namesrv = process.env['SKUA_NAMESRV'] ?? ''
    const owned = namesrv === ''
    const name = (what: string) => `${what}_${version.replaceAll('.', '_')}_${process.pid}`
    const send = (topic: string, request: Record<string, unknown>) =>
      java.call<Sent[]>('send', { namesrv, topic, ...request })
    const received = (consumer: string, count: number, timeoutMs = 10_000) =>
      java.call<Got[]>('received', { name: consumer, count, timeoutMs })
    const bodies = (got: readonly Got[]) => got.map(message => message.body).sort()

    before(async () => {
      if (owned) skua = await startStandalone({ port: 0, store, config: { enablePropertyFilter: true } })
      if (owned) namesrv = skua.namesrvAddr
      java = await javaClient(version)
    })
    after(async () => {
      await java?.kill()
      if (owned) await skua?.stop()
      rmSync(store, { recursive: true, force: true })
    })

    test('a push consumer gets what its SQL92 selects', async () => {
      const topic = name('Sql')
      await send(topic, { count: 10, properties: { n: '$i', color: 'red' } })
      await java.call('push', {
        namesrv,
        topic,
        name: 'sql',
        group: name('sql'),
        sql: "n > 6 AND color = 'red' OR n IN ('0', '2')",
      })
      assert.deepEqual(bodies(await received('sql', 5)), ['hello 0', 'hello 2', 'hello 7', 'hello 8', 'hello 9'])
      await send(topic, { count: 4, body: 'later', properties: { n: '7', color: 'blue' } })
      await send(topic, { count: 2, body: 'last', properties: { n: '7', color: 'red' } })
      assert.deepEqual(bodies(await received('sql', 7)).slice(5), ['last 0', 'last 1'])
      await java.call('stopConsumer', { name: 'sql' })
    })

    test('a pull consumer gets what its SQL92 selects, and is told what is wrong with it', async () => {
      const topic = name('SqlPull')
      const sent = await send(topic, { count: 6, queueId: 0, properties: { n: '$i' } })
      const pull = (sql: string) =>
        java.call<{ status: string; next: number; messages: Got[] }>('pull', {
          namesrv,
          topic,
          brokerName: sent[0]?.brokerName,
          queueId: 0,
          offset: 0,
          sql,
        })
      const found = await pull('n BETWEEN 2 AND 3 OR missing IS NOT NULL')
      assert.deepEqual([found.status, bodies(found.messages), found.next], ['FOUND', ['hello 2', 'hello 3'], 6])
      assert.equal((await pull('missing > 3')).status, 'NO_MATCHED_MSG')
      await assert.rejects(pull('n >> 3'), refusal(23, owned ? /position 3/ : /./))
    })

    test('a push consumer with SQL92 that does not parse does not start', async () => {
      const topic = name('SqlBad')
      await send(topic, { count: 1 })
      await assert.rejects(
        java.call('push', { namesrv, topic, name: 'bad', group: name('bad'), sql: 'n > AND' }),
        refusal(23, /./),
      )
    })

    test('finds messages by offset id, by key and by time', async () => {
      const topic = name('Query')
      const sent = await send(topic, { count: 5, key: 'order', body: 'queried' })
      const view = (msgId: string) => java.call<Got>('viewMessage', { namesrv, topic, msgId })
      assert.equal((await view(sent[2]?.offsetMsgId ?? '')).body, 'queried 2')
      await until(
        async () => (await view(sent[3]?.msgId ?? '').catch(() => undefined))?.body === 'queried 3',
        'the unique id is indexed',
      )
      const query = (request: Record<string, unknown>) => java.call<Got[]>('queryKey', { namesrv, topic, ...request })
      assert.deepEqual(
        (await query({ key: 'order-1' })).map(message => [message.body, message.keys]),
        [['queried 1', 'order-1']],
      )
      await assert.rejects(query({ key: 'order-9' }), DriverError)
      await assert.rejects(query({ key: 'order-1', begin: 0, end: 1000 }), DriverError)
    })

    test('a request is answered by whoever consumes it', async () => {
      const topic = name('Request')
      await send(topic, { count: 1, body: 'first' })
      await java.call('push', { namesrv, topic, name: 'replier', group: name('replier'), replies: true })
      await received('replier', 1)
      const reply = await java.call<Got>('request', { namesrv, topic, group: name('asker'), body: 'how much?' })
      assert.equal(reply.body, 're: how much?')
      assert.equal(reply.properties['MSG_TYPE'], 'reply')
      await java.call('stopConsumer', { name: 'replier' })
    })
  })
}
