import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Standalone, startStandalone } from 'skua'
import type { Driver } from '../src/driver.ts'
import { javaClient, javaVersions } from '../src/java-client.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'

interface Got {
  topic: string
  msgId: string
  body: string
  bornTimestamp: number
  storeTimestamp: number
  receivedAt: number
  reconsumeTimes: number
  queueOffset: number
  properties: Record<string, string>
}
interface Transaction {
  /** msgId is the transaction's id, too. */
  sent: { status: string; msgId: string }[]
  checks: Record<string, number>
}

const skip = skipWithout('java')

for (const version of javaVersions) {
  describe(`delivery to the official Java client ${version}`, { skip }, () => {
    const store = mkdtempSync(join(tmpdir(), 'skua-java-'))
    let skua: Standalone
    let java: Driver
    let namesrv = process.env['SKUA_NAMESRV'] ?? ''
    const owned = namesrv === ''
    const config = { transactionTimeOut: 1000, transactionCheckInterval: 1000 }
    const name = (what: string) => `${what}_${version.replaceAll('.', '_')}_${process.pid}`
    const send = (topic: string, request: Record<string, unknown>) =>
      java.call<{ status: string; msgId: string }[]>('send', { namesrv, topic, ...request })
    // Until they are there; a 5.x client may be half a minute late with what its heartbeat announces, at any broker.
    const received = (consumer: string, count: number, timeoutMs = 45_000) =>
      java.call<Got[]>('received', { name: consumer, count, timeoutMs })
    const transaction = (topic: string, request: Record<string, unknown>) =>
      java.call<Transaction>('transaction', { namesrv, topic, group: name('tx'), ...request })

    /**
     * Makes a group known. Its retry topic begins with its first heartbeat, and a client that found none looks again half a
     * minute later, with RocketMQ's broker as well.
     */
    const introduce = async (topic: string, group: string) => {
      await send(topic, { count: 1, body: 'introduction' })
      await java.call('push', { namesrv, topic, name: group, group })
      await received(group, 1)
      await java.call('stopConsumer', { name: group })
    }

    before(async () => {
      if (owned) skua = await startStandalone({ port: 0, store, config })
      if (owned) namesrv = skua.namesrvAddr
      java = await javaClient(version)
    })
    after(async () => {
      await java?.kill()
      if (owned) await skua?.stop()
      rmSync(store, { recursive: true, force: true })
    })

    test('delayed messages come on time, not early, and in order within a level', async () => {
      const topic = name('Delay')
      await send(topic, { count: 1, body: 'first' })
      await java.call('push', { namesrv, topic, name: 'delay', group: name('delay'), orderly: true })
      await received('delay', 1)
      await send(topic, { count: 5, body: 'five', delayLevel: 2, queueId: 0 })
      await send(topic, { count: 10, body: 'one', delayLevel: 1, queueId: 0 })
      const got = (await received('delay', 16)).slice(1)
      assert.deepEqual(
        got.map(message => message.body),
        [...Array.from({ length: 10 }, (_, at) => `one ${at}`), ...Array.from({ length: 5 }, (_, at) => `five ${at}`)],
      )
      for (const message of got) {
        const delayMs = message.body.startsWith('one') ? 1000 : 5000
        const lateMs = message.receivedAt - message.bornTimestamp - delayMs
        assert.ok(lateMs >= 0, `${message.body} came ${-lateMs} ms early`)
        assert.ok(lateMs < 1000, `${message.body} came ${lateMs} ms late`)
        assert.equal(message.topic, topic)
      }
      await java.call('stopConsumer', { name: 'delay' })
    })

    test('a message that fails twice is tried three times, and knows where it came from', async () => {
      const topic = name('Retry')
      await introduce(topic, name('retry'))
      await send(topic, { count: 1 })
      await java.call('push', {
        namesrv,
        topic,
        name: 'retry',
        group: name('retry'),
        failFirst: 2,
        delayLevelWhenNextConsume: 1,
      })
      const got = await received('retry', 3)
      assert.deepEqual(
        got.map(message => message.reconsumeTimes),
        [0, 1, 2],
      )
      assert.ok(got.every(message => message.topic === topic && message.body === 'hello'))
      assert.equal(new Set(got.map(message => message.msgId)).size, 1)
      assert.equal((await received('retry', 4, 1500)).length, 3)
      await java.call('stopConsumer', { name: 'retry' })
    })

    test('a message that fails too often is a dead letter', async () => {
      const topic = name('Dead')
      const group = name('dead')
      await introduce(topic, group)
      const [sent] = await send(topic, { count: 1 })
      await java.call('push', {
        namesrv,
        topic,
        name: 'dead',
        group,
        failFirst: 99,
        maxReconsumeTimes: 1,
        delayLevelWhenNextConsume: 1,
      })
      assert.equal((await received('dead', 2)).length, 2)
      const letters = async () => java.call<Got[]>('readAll', { namesrv, topic: `%DLQ%${group}` }).catch(() => [])
      await until(async () => (await letters()).length === 1, 'the dead letter is there')
      const [letter] = await letters()
      assert.equal(letter?.msgId, sent?.msgId)
      assert.equal(letter?.properties['RETRY_TOPIC'], topic)
      await java.call('stopConsumer', { name: 'dead' })
    })

    test('consumed in order, a message that fails holds up those behind it, and is a dead letter in the end', async () => {
      const topic = name('Order')
      const group = name('order')
      await send(topic, { count: 3, queueId: 0 })
      const common = { namesrv, topic, group, orderly: true, suspendMs: 50 }
      await java.call('push', { ...common, name: 'order', failFirst: 2 })
      const got = await received('order', 9)
      assert.deepEqual(
        got.map(message => message.body),
        ['hello 0', 'hello 0', 'hello 0', 'hello 1', 'hello 1', 'hello 1', 'hello 2', 'hello 2', 'hello 2'],
      )
      await java.call('stopConsumer', { name: 'order' })
      await send(topic, { count: 1, body: 'hopeless', queueId: 0 })
      await send(topic, { count: 1, body: 'next', queueId: 0 })
      await java.call('push', { ...common, name: 'order2', failFirst: 99, maxReconsumeTimes: 1 })
      const letters = async () => java.call<Got[]>('readAll', { namesrv, topic: `%DLQ%${group}` }).catch(() => [])
      await until(
        async () => (await letters()).map(letter => letter.body).join() === 'hopeless,next',
        'both are dead letters, in order',
        // RocketMQ 4.9.7 leaves the delay of the next try at a message that has none.
        owned ? undefined : 120_000,
      )
      await java.call('stopConsumer', { name: 'order2' })
    })

    test('transactions are seen when committed, never when rolled back, and after a check when it was open', async () => {
      const topic = name('Tx')
      await send(topic, { count: 1, body: 'plain' })
      await java.call('push', { namesrv, topic, name: 'tx', group: name('txc') })
      await received('tx', 1)
      const { sent } = await transaction(topic, { body: 'committed', outcome: 'COMMIT_MESSAGE' })
      assert.equal(sent[0]?.status, 'SEND_OK')
      await transaction(topic, { body: 'rolled back', outcome: 'ROLLBACK_MESSAGE' })
      const open = await transaction(topic, { body: 'checked', outcome: 'UNKNOW', check: 'COMMIT_MESSAGE' })
      await transaction(topic, { body: 'checked, no', outcome: 'UNKNOW', check: 'ROLLBACK_MESSAGE' })
      const got = await received('tx', 3, owned ? 10_000 : 120_000)
      assert.deepEqual(
        got.map(message => message.body),
        ['plain', 'committed', 'checked'],
      )
      const { checks } = await transaction(topic, { count: 0 })
      assert.equal(checks[open.sent[0]?.msgId ?? ''], 1)
      assert.equal((await received('tx', 4, 1500)).length, 3)
      await java.call('stopConsumer', { name: 'tx' })
    })

    test('a restart of the broker loses no delayed message, and transactions go on', { skip: !owned }, async () => {
      const topic = name('Restart')
      await send(topic, { count: 1, body: 'plain' })
      await send(topic, { count: 3, body: 'late', delayLevel: 2 })
      const [host, port] = (skua.brokers[0]?.address ?? '').split(':')
      const nameServerPort = Number(namesrv.split(':')[1])
      await skua.stop()
      skua = await startStandalone({ host: host ?? '', port: Number(port), nameServerPort, store, config })
      await java.call('push', { namesrv, topic, name: 'restart', group: name('restart') })
      await until(
        async () =>
          (await transaction(topic, { body: 'again', outcome: 'COMMIT_MESSAGE' }).catch(() => undefined)) !== undefined,
        'the broker takes messages again',
      )
      const bodies = async () => new Set((await received('restart', 0)).map(message => message.body))
      await until(async () => {
        const seen = await bodies()
        return ['plain', 'late 0', 'late 1', 'late 2', 'again'].every(body => seen.has(body))
      }, 'all are there')
      await java.call('stopConsumer', { name: 'restart' })
    })
  })
}
