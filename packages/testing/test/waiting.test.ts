import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '../src/index.ts'

const recalling = { config: { recallMessageEnable: true, timerMaxDelaySec: 30 * 86_400 } }

test('a timer that was taken back is not listed, and neither is what took it back; the same message of another time stays', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'], ...recalling })
  const producer = await broker.producer()
  const taken = await producer.send({ topic: 'Orders', body: 'taken back', delayMs: 30_000 })
  await producer.send({ topic: 'Orders', body: 'stays', delayMs: 30_000 })
  await producer.recall('Orders', taken.recallHandle!)
  const texts = async () => (await broker.scheduled()).map(({ message }) => message.text)
  assert.deepEqual(await texts(), ['stays'])
  await broker.clock.advance('31s')
  assert.deepEqual(await texts(), [])
  const far = { topic: 'Orders', delayMs: 20 * 86_400_000 }
  await producer.send({ ...far, body: 'stays long' })
  const other = await producer.send({ ...far, body: 'taken back while it rolls' })
  await broker.clock.advance('5d')
  await producer.recall('Orders', other.recallHandle!)
  await broker.clock.advance('1d')
  assert.deepEqual(await texts(), ['stays long'])
})

test('what a group that pops has to try again is listed with its time, until it is acknowledged', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const began = broker.clock.now()
  let fails = true
  const handler = () => {
    if (fails) throw new Error('not now')
  }
  await broker.consume({ group: 'g', topic: 'Orders', consumeMode: 'POP', handler })
  await broker.send([{ topic: 'Orders', text: 'bad' }])
  await broker.idle()
  const [first, ...others] = await broker.scheduled()
  assert.deepEqual(others, [])
  assert.equal(first?.message.text, 'bad')
  assert.deepEqual([first?.by, first?.isRetry, first?.group], ['pop', true, 'g'])
  // The time of a pop is no other pop's, so that it may be a millisecond later.
  assert.equal(Math.round((first!.dueAtMs - began) / 100), 100)
  await broker.clock.advance('11s')
  const [second] = await broker.scheduled()
  assert.match(second!.message.topic, /^%RETRY%g.Orders$/, 'of the second try')
  assert.ok(second!.dueAtMs - began > 40_000)
  fails = false
  await broker.clock.advance('1m')
  assert.deepEqual(await broker.scheduled(), [])
})

test('what a simple consumer holds comes again at the end of its time, unless it is acknowledged', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const consumer = broker.simpleConsumer({ group: 'g', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  await consumer.subscribe('Orders')
  await broker.send([{ topic: 'Orders', text: 'held' }])
  const [message] = await broker.clock.until(consumer.receive({ invisibleMs: 20_000 }))
  const [one] = await broker.scheduled()
  assert.deepEqual([one?.message.text, one?.by, one?.group], ['held', 'pop', 'g'])
  await message!.ack()
  assert.deepEqual(await broker.scheduled(), [])
})

test('a message in a handler is in work, and waits for nothing', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  await broker.consume({
    group: 'g',
    topic: 'Orders',
    consumeMode: 'POP',
    handler: () => broker.clock.sleep('5s'),
  })
  await broker.send([{ topic: 'Orders', text: 'in work' }])
  await broker.idle()
  assert.equal(broker.deliveries[0]?.outcome, 'running')
  assert.deepEqual(await broker.scheduled(), [])
})

test('an expectation names what waits, where it is and when it is due', async () => {
  await using broker = await startBroker({ clock: 'virtual', startTime: '2030-01-01T00:00:00Z', topics: ['Orders'] })
  const producer = await broker.producer({ checkTransaction: () => 'unknown' })
  await broker.consume({ group: 'g', topic: 'Orders', handler: () => {} })
  const expecting = (text: string) => broker.expectDelivered({ group: 'g', topic: 'Orders', text })
  await producer.send({ topic: 'Orders', body: 'level', delayLevel: 5 })
  await assert.rejects(
    expecting('level'),
    /Orders.*level {2}\(waits; delayed by its level, due at 2030-01-01T00:01:00.000Z, in 60 s\)/,
  )
  await producer.send({ topic: 'Orders', body: 'time', delayMs: 30_000 })
  await assert.rejects(
    expecting('time'),
    /time {2}\(waits; delayed to a time, due at 2030-01-01T00:00:30.000Z, in 30 s\)/,
  )
  await producer.transaction({ topic: 'Orders', body: 'half' }, () => 'unknown')
  await assert.rejects(
    expecting('half'),
    /half {2}\(waits; half: its transaction is undecided, and asked about at 2030-/,
  )
  await assert.rejects(broker.expectDelivered({ group: 'g', text: 'half' }), /\(waits; half: /, 'without a topic, too')
  await assert.rejects(
    broker.expectDelivered({ group: 'g', topic: 'Others', text: 'half' }),
    /There is no message at all/,
    'what waits for another topic is none',
  )
})

for (const consumeMode of ['PULL', 'POP'] as const)
  test(`of what failed it says when it comes again, and where it lies when it was given up (${consumeMode})`, async () => {
    await using broker = await startBroker({ clock: 'virtual', startTime: '2030-01-01T00:00:00Z', topics: ['Orders'] })
    const handler = () => {
      throw new Error('no')
    }
    await broker.consume({ group: 'g', topic: 'Orders', consumeMode, maxReconsumeTimes: 1, handler })
    await broker.send([{ topic: 'Orders', json: { id: 1 } }])
    const again = /"id":1.*\(failed; comes again at 2030-01-01T00:00:10\.\d{3}Z, in 10 s\)/
    await assert.rejects(broker.expectDelivered({ group: 'g', topic: 'Orders', value: { id: 1 } }), again)
    await assert.rejects(broker.expectDeadLetter({ group: 'g', value: { id: 1 } }), again)
    await broker.clock.advance('1h')
    await broker.expectDeadLetter({ group: 'g', value: { id: 1 } })
    await assert.rejects(
      broker.expectDelivered({ group: 'g', topic: 'Orders', value: { id: 1 } }),
      /\(failed; in %DLQ%g\)/,
    )
  })

test('a pattern that means nothing is refused, with the nearest that does', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const delivered = (pattern: object) => broker.expectDelivered(pattern as never)
  const wrong: [object, RegExp][] = [
    [{ group: 'g', tags: 'A' }, /expectDelivered has no member tags; did you mean tag\?/],
    [{ group: 'g', body: 'x' }, /did you mean text\?/],
    [{ group: 'g', json: { id: 1 } }, /did you mean value\?/],
    [{ group: 'g', tpoic: 'Orders' }, /did you mean topic\?/],
    [{ group: 'g', whatever: 1 }, /whatever: topic, text, value, tag, key, properties, group, times are known/],
    [{ group: 'g', tag: 7 }, /tag of expectDelivered must be a text: 7 was given/],
    [{ group: 'g', key: ['a'] }, /key of expectDelivered must be a text: \[/],
    [{ group: 'g', text: { id: 1 } }, /must be a text or a RegExp/],
    [{ group: 'g', properties: { a: 1 } }, /must be an object of texts/],
    [{ group: 'g', times: '2' }, /must be a whole number from 0 on: '2'/],
    [{ topic: 'Orders' }, /expectDelivered needs a group/],
    [{ group: 'g', constructor: 1 }, /no member constructor/],
  ]
  for (const [pattern, message] of wrong) await assert.rejects(delivered(pattern), { name: 'TypeError', message })
  await assert.rejects(delivered(undefined as never), /expectDelivered takes an object: undefined/)
  await assert.rejects(broker.expectNotDelivered({ group: 'g', times: 1 } as never), /no member times/)
  await assert.rejects(broker.expectDeadLetter({ group: 'g', topic: 'T' } as never), /no member topic/)
})

test('so are targets of faults, and messages that the test puts in', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const { faults } = broker
  assert.throws(() => faults.dropAnswer({ topc: 'Orders' } as never), /no member topc; did you mean topic\?/)
  assert.throws(() => faults.loseRequest({ queueId: '1' } as never), /queueId of the target of a fault must be a whole/)
  assert.throws(() => faults.pauseQueue({} as never), /pauseQueue needs a topic/)
  assert.throws(() => faults.slowSync(undefined as never), /undefined is no duration/)
  await assert.rejects(broker.send([{ topic: 'Orders', text: 'a', tags: 'B' } as never]), /did you mean tag\?/)
  await assert.rejects(broker.send([{ topic: 'Orders', text: 7 } as never]), /text of a message must be a text: 7/)
  await assert.rejects(broker.send({ topic: 'Orders', text: 'a' } as never), /messages are a list/)
})
