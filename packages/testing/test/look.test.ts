import type { AssertionError } from 'node:assert'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PushConsumer } from '@skua-mq/client'
import { startBroker } from '../src/index.ts'

const order = (id: number, state = 'new') => ({
  topic: 'Orders',
  json: { id, state, lines: [{ sku: 'a' }] },
  tag: 'New',
})

test('messages are decoded, in the order in which they were stored', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const producer = await broker.producer()
  for (const id of [1, 2, 3])
    await producer.send({
      topic: 'Orders',
      body: JSON.stringify({ id }),
      tag: 'New',
      keys: `k${id}`,
      properties: { a: 'b' },
    })
  await producer.send({ topic: 'Orders', body: 'z'.repeat(10_000) })
  const all = await broker.messages('Orders')
  assert.deepEqual(
    all.slice(0, 3).map(({ value }) => value),
    [{ id: 1 }, { id: 2 }, { id: 3 }],
  )
  assert.equal(all[3]?.text.length, 10_000, 'compressed on the way')
  assert.deepEqual([all[0]?.tag, all[0]?.keys, all[0]?.properties.a], ['New', ['k1'], 'b'])
  assert.deepEqual(await broker.messages('Nowhere'), [])
})

test('lag counts what a group has not committed', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  await broker.consume({ group: 'g', topic: 'Orders', handler: () => {} })
  await broker.send([order(1), order(2)])
  await broker.clock.advance('5s')
  assert.equal((await broker.lag('g', 'Orders')).total, 0)
  broker.faults.pauseQueue({ topic: 'Orders' })
  await broker.send([order(3), order(4), order(5)])
  await broker.clock.advance('10s')
  assert.equal((await broker.lag('g', 'Orders')).total, 3)
})

test('what waits for its time is listed with it, the next one first', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const now = broker.clock.now()
  const producer = await broker.producer()
  await producer.send({ topic: 'Orders', body: 'level', delayLevel: 5 })
  await producer.send({ topic: 'Orders', body: 'time', delayMs: 30_000 })
  const handler = () => {
    throw new Error('not now')
  }
  await broker.consume({ group: 'g', topic: 'Orders', expression: 'Bad', handler })
  await producer.send({ topic: 'Orders', body: 'bad', tag: 'Bad' })
  await broker.idle()
  assert.deepEqual(
    (await broker.scheduled()).map(one => [one.message.text, one.by, one.isRetry, one.dueAtMs - now]),
    [
      ['bad', 'level', true, 10_000],
      ['time', 'time', false, 30_000],
      ['level', 'level', false, 60_000],
    ],
  )
  await broker.clock.advance('31s')
  assert.deepEqual(
    (await broker.scheduled()).map(({ message }) => message.text),
    ['bad', 'level'],
  )
})

test('an expectation that holds says nothing', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  await broker.consume({ group: 'g', topic: 'Orders', handler: () => {} })
  await broker.send([order(1), order(2, 'paid')])
  await broker.expectDelivered({ group: 'g', topic: 'Orders', value: { id: 2, lines: [{ sku: 'a' }] }, tag: 'New' })
  await broker.expectDelivered({ group: 'g', text: /paid/ })
  await broker.expectDelivered({ group: 'g', topic: 'Orders', times: 2 })
  await broker.expectNotDelivered({ group: 'g', topic: 'Orders', value: { id: 3 } })
})

test('one that does not hold shows the nearest message beside what was wanted, and what else there is', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  await broker.consume({
    group: 'g',
    topic: 'Orders',
    handler: message => {
      if (message.json<{ id: number }>().id === 2) throw new Error('no')
    },
  })
  await broker.send([order(1), order(2, 'paid')])
  const failed = broker.expectDelivered({ group: 'g', topic: 'Orders', value: { id: 1, state: 'paid' }, tag: 'New' })
  await assert.rejects(failed, (error: AssertionError) => {
    assert.deepEqual(error.expected, { topic: 'Orders', value: { id: 1, state: 'paid' }, tag: 'New' })
    assert.deepEqual(error.actual, { topic: 'Orders', value: { id: 1, state: 'new' }, tag: 'New' })
    assert.match(error.message, /expected to be delivered to g/)
    assert.match(error.message, /value: \{ id: 1, state: 'new' \} instead of \{ id: 1, state: 'paid' \}/)
    assert.match(error.message, /"id":2.*\(failed; comes again at 2026-01-01T00:00:10/)
    return true
  })
  await assert.rejects(broker.expectDelivered({ group: 'g', value: { id: 2 } }), /\(failed; comes again/)
  await assert.rejects(broker.expectDelivered({ group: 'g', topic: 'Orders', times: 3 }), /3 times, and 1 times/)
  await assert.rejects(broker.expectNotDelivered({ group: 'g', value: { id: 1 } }), /expected not to be delivered/)
  await assert.rejects(
    broker.expectDeadLetter({ group: 'g', value: { id: 1 } }),
    /There is no message at all|"id":1.*\(delivered\)/,
  )
})

test('of a client of another process it is known what it has passed', async () => {
  await using broker = await startBroker({ topics: ['Orders'] })
  await broker.send([order(1)])
  const { namesrvAddr } = broker
  const consumer = new PushConsumer({ namesrvAddr, group: 'g', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  const got = new Promise<void>(resolve => consumer.subscribe('Orders').onMessage(() => resolve()))
  await consumer.start()
  await got
  // It commits what it has done when it closes.
  await consumer.close()
  await broker.expectDelivered({ group: 'g', topic: 'Orders', value: { id: 1 } })
  // Without a topic, too.
  await broker.expectDelivered({ group: 'g', value: { id: 1 } })
  await assert.rejects(broker.expectNotDelivered({ group: 'g', value: { id: 1 } }), /not to be delivered/)
  await broker.send([order(2)])
  await broker.expectNotDelivered({ group: 'g', value: { id: 2 } })
  await assert.rejects(broker.expectDelivered({ group: 'g', topic: 'Orders', value: { id: 2 } }), /not delivered/)
})

test('of a group that was never here nothing can be expected, not even that it gets nothing', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  await assert.rejects(broker.expectNotDelivered({ group: 'billing' }), /no group billing has been here/)
  await broker.consume({ group: 'billing', topic: 'Orders', handler: () => {} })
  for (const expectation of ['expectDelivered', 'expectNotDelivered', 'expectDeadLetter'] as const)
    await assert.rejects(broker[expectation]({ group: 'biling' }), {
      code: 'ERR_ASSERTION',
      message: /biling \(no group biling has been here; did you mean billing\?\)/,
    })
  // One that got nothing yet was here.
  await broker.expectNotDelivered({ group: 'billing' })
  await broker.createGroups(['declared'])
  await broker.expectNotDelivered({ group: 'declared' })
})

for (const clock of ['virtual', 'real'] as const)
  test(`a snapshot is put back: messages, topics, offsets (${clock} clock)`, async () => {
    await using broker = await startBroker({ clock, topics: ['Orders'] })
    await broker.send([order(1)])
    const producer = await broker.producer()
    await producer.send({ topic: 'Orders', body: 'later', delayLevel: 3 })
    const before = broker.clock.now()
    const snapshot = await broker.snapshot()
    for (let round = 0; round < 2; round++) {
      await broker.send([order(2), order(3)])
      await broker.createTopics(['Later'])
      if (clock === 'virtual') await broker.clock.advance('1d')
      assert.equal((await broker.messages('Orders')).length, clock === 'virtual' ? 4 : 3)
      await broker.restore(snapshot)
      assert.deepEqual(
        (await broker.messages('Orders')).map(({ value }) => (value as { id: number }).id),
        [1],
      )
      assert.equal((await broker.scheduled()).length, 1)
      if (clock === 'virtual') assert.equal(broker.clock.now(), before)
    }
    assert.ok(snapshot.bytes < 1_000_000, `${snapshot.bytes}`)
  })
