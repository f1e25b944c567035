import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Standalone } from 'skua'
import type { Driver } from '../src/driver.ts'
import { goClient } from '../src/go-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'

interface Got {
  topic: string
  body: string
  reconsumeTimes: number
  bornTimestamp: number
  receivedAt: number
}

const config = { enablePropertyFilter: true, transactionTimeOut: 1000, transactionCheckInterval: 1000 }

describe('delivery to the official Go client', { skip: skipWithout('go') }, () => {
  const store = mkdtempSync(join(tmpdir(), 'skua-go-'))
  let skua: Standalone | undefined
  let go: Driver
  let namesrv = process.env['SKUA_NAMESRV'] ?? ''
  const owned = namesrv === ''
  const name = (what: string) => `Go_${what}_${process.pid}`
  const call = <T>(what: string, request: Record<string, unknown>) => go.call<T>(what, { namesrv, ...request })
  const send = (topic: string, request: Record<string, unknown>) => call<unknown[]>('send', { topic, ...request })
  const received = (consumer: string, count: number, timeoutMs = 45_000) =>
    call<Got[]>('received', { name: consumer, count, timeoutMs })
  const bodies = (got: readonly Got[]) => got.map(({ body }) => body)

  before(async () => {
    if (owned) skua = await startSkua({ port: 0, store, config })
    namesrv = skua?.namesrvAddr ?? namesrv
  })
  // A Go producer loses its routes when a consumer of the same process shuts down: each test has a process of its own.
  beforeEach(async () => {
    go = await goClient()
  })
  afterEach(() => go.kill())
  after(async () => {
    await skua?.stop()
    rmSync(store, { recursive: true, force: true })
  })

  test('a delayed message comes on time, not early', async () => {
    const topic = name('Delay')
    await send(topic, { body: 'first' })
    await call('push', { topic, name: 'delay', group: name('delay') })
    await received('delay', 1)
    await send(topic, { body: 'late', delayLevel: 1 })
    const late = (await received('delay', 2))[1]
    assert.equal(late?.body, 'late')
    const waitedMs = (late?.receivedAt ?? 0) - (late?.bornTimestamp ?? 0)
    assert.ok(waitedMs >= 1000 && waitedMs < 2500, `${waitedMs} ms`)
  })

  test('a message that fails is tried again after the first delay of retries, and knows its topic', async () => {
    const topic = name('Retry')
    await send(topic, { body: 'again' })
    await call('push', { topic, name: 'retry', group: name('retry'), failFirst: 1 })
    const got = await received('retry', 2)
    assert.deepEqual(
      got.map(({ reconsumeTimes }) => reconsumeTimes),
      [0, 1],
    )
    assert.equal(got[1]?.topic, topic)
    // Level 3 of 18: 10 s. Before RocketMQ's own brokers the first retry mostly comes after 40 s: Go asks for the route of the
    // retry topic within milliseconds of its first heartbeat, and then every 30 s.
    const waitedMs = (got[1]?.receivedAt ?? 0) - (got[0]?.receivedAt ?? 0)
    const isOurs = (process.env['SKUA_NAMESRV'] ?? '') === ''
    assert.ok(waitedMs >= 10_000 && (!isOurs || waitedMs < 20_000), `${waitedMs} ms`)
  })

  test('a queue is consumed in the order in which it was sent to', async () => {
    const topic = name('Order')
    await send(topic, { count: 20, queueId: 0 })
    await call('push', { topic, name: 'order', group: name('order'), orderly: true })
    assert.deepEqual(
      bodies(await received('order', 20)),
      Array.from({ length: 20 }, (_, at) => `hello ${at}`),
    )
  })

  test('SQL92 selects', async () => {
    const topic = name('Sql')
    for (const n of [1, 2, 3, 4]) await send(topic, { body: `${n}`, properties: { n: `${n}`, color: 'red' } })
    await call('push', { topic, name: 'sql', group: name('sql'), sql: "n > 2 AND color = 'red'" })
    assert.deepEqual(bodies(await received('sql', 2)).sort(), ['3', '4'])
    assert.equal((await received('sql', 3, 1000)).length, 2)
  })

  test('transactions are seen when committed, never when rolled back, and after a check when it was open', async () => {
    const topic = name('Tx')
    const group = name('tx')
    await send(topic, { body: 'plain' })
    await call('push', { topic, name: 'tx', group: name('txc') })
    await received('tx', 1)
    await call('transaction', { topic, group, body: 'committed', outcome: 'COMMIT_MESSAGE' })
    await call('transaction', { topic, group, body: 'rolled back', outcome: 'ROLLBACK_MESSAGE' })
    await call('transaction', { topic, group, body: 'open', outcome: 'UNKNOW', check: 'COMMIT_MESSAGE' })
    assert.deepEqual(bodies(await received('tx', 3)).sort(), ['committed', 'open', 'plain'])
    assert.ok((await call<number>('checked', { body: 'open' })) >= 1)
  })

  test('a request is answered by whoever consumes it', async () => {
    const topic = name('Request')
    await send(topic, { body: 'first', group: name('asker') })
    await call('push', { topic, name: 'replier', group: name('replier'), replies: true })
    await received('replier', 1)
    // A reply finds only a client that the broker knows by a heartbeat.
    let reply: string | undefined
    await until(
      async () => {
        const question = { topic, group: name('asker'), body: 'how much?', timeoutMs: 3000 }
        reply = await call<string>('request', question).catch(() => undefined)
        return reply !== undefined
      },
      'the asker gets its reply',
      90_000,
    )
    assert.equal(reply, 're: how much?')
  })
})
