import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admin, ClientError, jsonCodec, Producer, PushConsumer } from '@skua-mq/client'
import { cluster, fresh, until } from './harness.ts'

const { namesrvAddr } = await cluster()
const fromFirst = { namesrvAddr, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' } as const

test('a message comes as it was sent', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  const properties = { colour: 'grün', 'a-b': 'x y' }
  const sent = await producer.send({ topic, tag: 'A', keys: ['k1', 'k2'], body: 'hëllo', properties, flag: 7 })
  assert.equal(sent.sendStatus, 'SEND_OK')
  assert.match(sent.msgId, /^[0-9A-F]{32}$/)
  assert.match(sent.offsetMsgId, /^[0-9A-F]{32}$/)
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  consumer.subscribe(topic, 'A || B')
  for await (const message of consumer) {
    assert.deepEqual([message.text(), message.topic, message.tag, message.keys], ['hëllo', topic, 'A', ['k1', 'k2']])
    assert.deepEqual([message.msgId, message.offsetMsgId, message.flag], [sent.msgId, sent.offsetMsgId, 7])
    assert.equal(message.properties.get('colour'), 'grün')
    assert.equal(message.properties.get('a-b'), 'x y')
    assert.deepEqual([message.queueOffset, message.queue.queueId], [sent.queueOffset, sent.queue.queueId])
    assert.equal(message.reconsumeTimes, 0)
    consumer.ack(message)
    break
  }
})

test('many messages in flight all arrive, once each', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg'), maxInFlight: 32 })
  const results = await Promise.all(Array.from({ length: 500 }, (_, i) => producer.send({ topic, body: `m${i}` })))
  assert.equal(new Set(results.map(result => result.msgId)).size, 500)
  const seen: string[] = []
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  consumer.subscribe(topic).onMessage(message => void seen.push(message.text()))
  await consumer.start()
  await until('all 500 messages', () => seen.length >= 500)
  assert.equal(new Set(seen).size, 500)
})

test('a large body is compressed on the way and whole at the end, a batch is split by size', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg'), maxBatchBytes: 10_000 })
  await producer.send({ topic, body: 'large '.repeat(20_000) })
  const batch = Array.from({ length: 30 }, (_, i) => ({ topic, body: `${i} ${'b'.repeat(1_000)}`, tag: 'batch' }))
  const results = await producer.sendBatch(batch)
  assert.equal(results.length, 4)
  assert.equal(results.flatMap(result => result.msgId.split(',')).length, 30)
  const bodies: string[] = []
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  consumer.subscribe(topic).onMessage(message => void bodies.push(message.text()))
  await consumer.start()
  await until('31 messages', () => bodies.length === 31)
  assert.ok(bodies.includes('large '.repeat(20_000)))
  assert.deepEqual(new Set(bodies.filter(body => !body.startsWith('large'))), new Set(batch.map(({ body }) => body)))
})

test('messages of one order key lie in one queue, in order; a chosen queue is obeyed', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  const queues = await producer.fetchPublishMessageQueues(topic)
  assert.ok(queues.length >= 1)
  const sent = []
  for (let i = 0; i < 5; i++) sent.push(await producer.send({ topic, body: `${i}` }, { orderKey: 'order-1' }))
  assert.equal(new Set(sent.map(({ queue }) => queue.queueId)).size, 1)
  const offsets = sent.map(({ queueOffset }) => queueOffset)
  assert.deepEqual(
    offsets,
    [0, 1, 2, 3, 4].map(i => offsets[0]! + i),
  )
  const queue = queues.at(-1)!
  assert.deepEqual((await producer.send({ topic, body: 'x' }, { queue })).queue, queue)
  await assert.rejects(producer.send({ topic, body: 'x' }, { queue: { ...queue, queueId: 99 } }), { code: 'ARGUMENT' })
})

test('oneway messages arrive, too', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (let i = 0; i < 10; i++) await producer.sendOneway({ topic, body: `${i}` })
  const seen = new Set<string>()
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  consumer.subscribe(topic).onMessage(message => void seen.add(message.text()))
  await consumer.start()
  await until('10 messages', () => seen.size === 10)
})

test('a delayed message comes after its time', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  let receivedMs = 0
  consumer.subscribe(topic).onMessage(() => {
    receivedMs = Date.now()
  })
  await producer.send({ topic, body: 'warm up the topic' })
  await consumer.start()
  await until('the first', () => receivedMs > 0)
  receivedMs = 0
  const sentMs = Date.now()
  await producer.send({ topic, body: 'later', delayLevel: 1 })
  await until('the delayed one', () => receivedMs > 0)
  assert.ok(receivedMs - sentMs >= 950, `${receivedMs - sentMs} ms`)
})

test('typed bodies pass through a codec', async () => {
  const topic = fresh('T')
  const codec = jsonCodec<{ id: number }>()
  await using producer = new Producer({ namesrvAddr, group: fresh('pg'), codec })
  await producer.send({ topic, body: { id: 42 } })
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg'), codec })
  consumer.subscribe(topic)
  for await (const message of consumer) {
    const { id }: { id: number } = message.value
    assert.equal(id, 42)
    consumer.ack(message)
    break
  }
})

test('a namespace is around topics and groups, and nobody inside sees it', async () => {
  const topic = fresh('T')
  const namespace = fresh('NS')
  await using producer = new Producer({ namesrvAddr, namespace, group: 'pg' })
  const { queue } = await producer.send({ topic, body: 'inside' })
  assert.equal(queue.topic, topic)
  await using consumer = new PushConsumer({ ...fromFirst, namespace, group: 'cg' })
  consumer.subscribe(topic)
  for await (const message of consumer) {
    assert.equal(message.topic, topic)
    assert.equal(message.queue.topic, `${namespace}%${topic}`)
    consumer.ack(message)
    break
  }
  await using admin = new Admin({ namesrvAddr })
  assert.ok((await admin.topics()).includes(`${namespace}%${topic}`))
})

test('an aborted send rejects with the reason, and a closed producer says so', async () => {
  const producer = new Producer({ namesrvAddr, group: fresh('pg') })
  await producer.start()
  const abort = new AbortController()
  abort.abort(new Error('not now'))
  await assert.rejects(producer.send({ topic: fresh('T'), body: 'x' }, { signal: abort.signal }), /not now/)
  await producer.close()
  await assert.rejects(producer.send({ topic: 'T', body: 'x' }), { code: 'STATE' })
})

test('without a name server the error says where it looked', async () => {
  await using producer = new Producer({ namesrvAddr: '127.0.0.1:1', group: 'pg' })
  const failed = await producer.send({ topic: 'T', body: 'x' }).catch(error => error)
  assert.ok(failed instanceof ClientError)
  assert.deepEqual([failed.code, failed.retriable], ['NAME_SERVER', true])
  assert.match(failed.message, /127\.0\.0\.1:1.*ECONNREFUSED/)
})
