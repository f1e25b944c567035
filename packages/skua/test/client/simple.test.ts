import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Admin, Producer, type ReceivedMessage, SimpleConsumer } from '@skua-mq/client'
import { cluster, fresh, until } from './harness.ts'

const { namesrvAddr } = await cluster()
/** A broker 4.9 has no POP. */
const skip = process.env['SKUA_REFERENCE_VERSION'] === '4.9.7'

async function newTopic(queueNum = 2): Promise<string> {
  const topic = fresh('T')
  await using admin = new Admin({ namesrvAddr })
  await admin.createTopic(topic, { queueNum })
  return topic
}

async function send(topic: string, bodies: readonly string[], tag?: string): Promise<void> {
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (const body of bodies) await producer.send({ topic, body, tag })
}

/** Until so many have come. */
async function received(consumer: SimpleConsumer, count: number): Promise<ReceivedMessage[]> {
  const found: ReceivedMessage[] = []
  await until(`${count} messages`, async () => found.push(...(await consumer.receive({ awaitMs: 200 }))) >= count)
  return found
}

const texts = (messages: readonly ReceivedMessage[]) => messages.map(message => message.text()).sort()

describe('a simple consumer', { skip }, () => {
  test('receives from all queues, and what it acknowledges does not come again', async () => {
    const topic = await newTopic(4)
    await using consumer = new SimpleConsumer({ namesrvAddr, group: fresh('g'), invisibleMs: 5000 })
    await consumer.subscribe(topic)
    await send(topic, ['1', '2', '3', '4', '5'])
    const found = await received(consumer, 5)
    assert.deepEqual(texts(found), ['1', '2', '3', '4', '5'])
    assert.ok(found.every(message => message.topic === topic && message.reconsumeTimes === 0))
    const [kept, ...others] = found
    for (const message of others) await consumer.ack(message)
    await assert.rejects(consumer.ack(others[0]!), { code: 'STATE' })
    const [again, ...more] = await received(consumer, 1)
    assert.deepEqual([again?.text(), again?.reconsumeTimes, more.length], [kept?.text(), 1, 0])
    assert.equal(again?.topic, topic, 'a message that comes again is told under its own topic')
    await consumer.ack(again!)
    assert.deepEqual(
      await consumer.receive({ awaitMs: 7000 }),
      [],
      'acknowledged at its second coming, it has no third',
    )
    await assert.rejects(consumer.ack(kept!), { code: 'STATE', message: /is over: it comes again/ })
  })

  test('more members than queues all receive, without a rebalance', async () => {
    const topic = await newTopic(1)
    const group = fresh('g')
    const members = Array.from({ length: 3 }, () => new SimpleConsumer({ namesrvAddr, group, maxNums: 1 }))
    for (const member of members) await member.subscribe(topic)
    await send(topic, ['1', '2', '3', '4', '5', '6'])
    const found = await Promise.all(members.map(member => received(member, 2)))
    assert.ok(found.every(messages => messages.length === 2))
    assert.deepEqual(texts(found.flat()), ['1', '2', '3', '4', '5', '6'])
    for (const [i, member] of members.entries()) {
      for (const message of found[i]!) await member.ack(message)
      await member.close()
    }
  })

  test('an invisible time that is changed counts, and so does the receipt behind it', async () => {
    const topic = await newTopic(1)
    await using consumer = new SimpleConsumer({ namesrvAddr, group: fresh('g'), invisibleMs: 60_000 })
    await consumer.subscribe(topic)
    await send(topic, ['late', 'soon'])
    const found = await received(consumer, 2)
    const [late, soon] = found.sort((a, b) => (a.text() < b.text() ? -1 : 1))
    await consumer.changeInvisibleMs(late!, 30_000)
    await consumer.changeInvisibleMs(soon!, 5000)
    await consumer.ack(late!)
    const again = await received(consumer, 1)
    assert.deepEqual(texts(again), ['soon'])
    await consumer.ack(again[0]!)
  })

  test('only what the tags let through', async () => {
    const topic = await newTopic(1)
    await using tags = new SimpleConsumer({ namesrvAddr, group: fresh('g') })
    await tags.subscribe(topic, 'A || C')
    for (const tag of ['A', 'B', 'C']) await send(topic, [tag], tag)
    assert.deepEqual(texts(await received(tags, 2)), ['A', 'C'])
  })

  test('a receive waits for a message, ends when its time or its signal says so, and needs a subscription', async () => {
    const topic = await newTopic(1)
    await using consumer = new SimpleConsumer({ namesrvAddr, group: fresh('g') })
    await assert.rejects(consumer.receive(), { code: 'STATE' })
    await consumer.subscribe(topic)
    assert.deepEqual(await consumer.receive({ awaitMs: 100 }), [])
    const abort = new AbortController()
    const waiting = consumer.receive({ awaitMs: 20_000, signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 100)
    await assert.rejects(waiting, /enough/)
    await send(topic, ['new'])
    // The broker may give it to the receive that was given up: then it is given back.
    assert.deepEqual(texts(await received(consumer, 1)), ['new'])
  })

  test('wrong values are refused', async () => {
    for (const wrong of [{ invisibleMs: 10 }, { awaitMs: -1 }, { maxNums: 33 }, { maxNums: 0 }])
      assert.throws(() => new SimpleConsumer({ namesrvAddr, group: 'g', ...wrong }), { code: 'ARGUMENT' })
    await using consumer = new SimpleConsumer({ namesrvAddr, group: fresh('g') })
    await assert.rejects(
      consumer.subscribe('T', 'a >', { type: 'TAG' }).then(() => consumer.receive({ maxNums: 99 })),
      {
        code: 'ARGUMENT',
      },
    )
  })
})
