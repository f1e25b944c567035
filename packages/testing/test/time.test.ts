import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { milliseconds, startBroker } from '../src/index.ts'

const minuteMs = 60_000

test('durations', () => {
  assert.equal(milliseconds('3d'), 3 * 86_400_000)
  assert.equal(milliseconds('1h30m'), 90 * minuteMs)
  assert.equal(milliseconds('1h 2.5s 4ms'), 3_602_504)
  assert.equal(milliseconds(17), 17)
  for (const wrong of ['', '3', 'd', '3 days', '1h-3m', -1, Number.NaN])
    assert.throws(() => milliseconds(wrong), /is no duration/)
})

test('time stands still until it is told to move', async () => {
  await using broker = await startBroker({ clock: 'virtual', startTime: '2030-05-06T07:08:09Z' })
  assert.equal(broker.clock.date().toISOString(), '2030-05-06T07:08:09.000Z')
  await broker.clock.advance('1d')
  assert.equal(broker.clock.date().toISOString(), '2030-05-07T07:08:09.000Z')
  await broker.clock.advanceTo(new Date('2030-06-01T00:00:00Z'))
  assert.equal(broker.clock.date().toISOString(), '2030-06-01T00:00:00.000Z')
})

test('delayed messages come at their time, by level and by milliseconds, in order', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const got: string[] = []
  const began = broker.clock.now()
  const at = () => (broker.clock.now() - began) / minuteMs
  await broker.consume({ group: 'g', topic: 'Orders', handler: message => void got.push(`${message.text()} ${at()}`) })
  const producer = await broker.producer()
  await producer.send({ topic: 'Orders', body: 'an hour', delayLevel: 17 })
  await producer.send({ topic: 'Orders', body: '50 minutes', delayMs: 50 * minuteMs })
  await producer.send({ topic: 'Orders', body: 'at once' })
  await producer.send({ topic: 'Orders', body: '3 days', delayMs: 3 * 1440 * minuteMs })
  await broker.idle()
  assert.deepEqual(got, ['at once 0'])
  await broker.clock.advance('49m')
  assert.deepEqual(got, ['at once 0'])
  await broker.clock.advance('1d')
  assert.deepEqual(got, ['at once 0', '50 minutes 50', 'an hour 60'])
  await broker.clock.advance('20d')
  assert.equal(got.at(-1), '3 days 4320')
})

test('retries come after the delays of their levels, and end among the dead letters', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const tries: number[] = []
  const handler = () => {
    tries.push(broker.clock.now())
    throw new Error('never')
  }
  await broker.consume({ group: 'g', topic: 'Orders', maxReconsumeTimes: 4, handler })
  await broker.send([{ topic: 'Orders', json: { id: 7 } }])
  await broker.clock.advance('1d')
  assert.deepEqual(
    tries.slice(1).map((time, i) => Math.round((time - tries[i]!) / 1000)),
    [10, 30, 60, 120],
  )
  await broker.expectDeadLetter({ group: 'g', value: { id: 7 } })
  assert.equal((await broker.deadLetters('g')).length, 1)
})

test('a transaction that nobody decides is asked about', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: [{ name: 'Orders', type: 'TRANSACTION' }] })
  const asked: number[] = []
  const began = broker.clock.now()
  const producer = await broker.producer({
    group: 'tx',
    checkTransaction: () => {
      asked.push(broker.clock.now() - began)
      return asked.length < 3 ? 'unknown' : 'commit'
    },
  })
  await producer.transaction({ topic: 'Orders', body: 'paid' }, () => 'unknown')
  assert.equal((await broker.undecided()).length, 1)
  await broker.clock.advance('10m')
  assert.deepEqual(asked, [30_000, 60_000, 90_000])
  assert.deepEqual(await broker.undecided(), [])
  assert.deepEqual(
    (await broker.messages('Orders')).map(({ text }) => text),
    ['paid'],
  )
})

test('a message that was received and not acknowledged is there again after its invisible time', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  await broker.send([{ topic: 'Orders', text: 'once more' }])
  const consumer = broker.simpleConsumer({
    group: 'g',
    awaitMs: 5000,
    invisibleMs: 30_000,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  })
  await consumer.subscribe('Orders')
  const receive = () => broker.clock.until(consumer.receive())
  assert.equal((await receive()).length, 1)
  const began = broker.clock.now()
  assert.deepEqual(await receive(), [])
  assert.equal(broker.clock.now() - began, 5000, 'the wait of a pop ends at its time')
  await broker.clock.advance('30s')
  assert.equal((await receive())[0]?.text(), 'once more')
})

test('a client of the application lives in the time of the test by one option', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const producer = new Producer({ ...broker.client, group: 'p' })
  const consumer = new PushConsumer({ ...broker.client, group: 'g' })
  const got: string[] = []
  consumer.subscribe('Orders').onMessage(message => void got.push(message.text()))
  await Promise.all([producer.start(), consumer.start()])
  await producer.send({ topic: 'Orders', body: 'in an hour', delayMs: 60 * minuteMs })
  await broker.clock.advance('1h')
  assert.deepEqual(got, ['in an hour'])
  await broker.clock.until(Promise.all([producer.close(), consumer.close()]))
})

test('a handler that works in the time of the machine is waited for; one that sleeps lets time pass', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const done: string[] = []
  await broker.consume({
    group: 'g',
    topic: 'Orders',
    handler: async message => {
      if (message.text() === 'works') await new Promise(resolve => setTimeout(resolve, 30))
      else await broker.clock.sleep('10m')
      done.push(`${message.text()} ${broker.clock.date().toISOString().slice(11, 19)}`)
    },
  })
  await broker.send([{ topic: 'Orders', text: 'works' }])
  await broker.idle()
  assert.deepEqual(done, ['works 00:00:00'])
  await broker.send([{ topic: 'Orders', text: 'sleeps' }])
  await broker.clock.advance('1h')
  assert.deepEqual(done, ['works 00:00:00', 'sleeps 00:10:00'])
})

test('retention takes what is too old, at its hour', async () => {
  const config = { mappedFileSizeCommitLog: 64 * 1024, fileReservedTime: 24, deleteWhen: '04' } as never
  await using broker = await startBroker({ clock: 'virtual', topics: [{ name: 'Orders', queues: 1 }], config })
  const text = 'x'.repeat(1000)
  await broker.send(Array.from({ length: 200 }, () => ({ topic: 'Orders', text })))
  await broker.clock.advance('20h')
  assert.equal((await broker.messages('Orders')).length, 200)
  await broker.clock.advance('3d')
  const left = await broker.messages('Orders')
  assert.ok(left.length > 0 && left.length < 100, `${left.length} are left: the last file is the active one`)
})

test('members of a group share its queues, and take over from one that is gone', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: [{ name: 'Orders', queues: 4 }] })
  const got = { a: 0, b: 0 }
  const first = await broker.consume({ group: 'g', topic: 'Orders', handler: () => void got.a++ })
  const second = await broker.consume({ group: 'g', topic: 'Orders', handler: () => void got.b++ })
  await broker.clock.advance('5s')
  assert.deepEqual([first.queues.length, second.queues.filter(({ topic }) => topic === 'Orders').length > 0], [2, true])
  await broker.clock.until(second.close())
  await broker.send(Array.from({ length: 8 }, (_, queueId) => ({ topic: 'Orders', text: 'x', queueId: queueId % 4 })))
  await broker.clock.advance('30d')
  assert.equal(got.a, 8)
})
