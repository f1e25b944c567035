import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admin, Producer, PushConsumer } from '@skua-mq/client'
import { cluster, fresh, until } from './harness.ts'

const { namesrvAddr } = await cluster()

test('a topic is created, and its offsets are told', async () => {
  const topic = fresh('T')
  await using admin = new Admin({ namesrvAddr })
  await admin.createTopic(topic, { queueNum: 2 })
  await until('the route', async () => (await admin.topicRoute(topic)) !== undefined)
  const queues = await admin.messageQueues(topic)
  assert.equal(queues.length % 2, 0)
  const queue = queues[0]!
  const before = Date.now()
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (let i = 0; i < 3; i++) await producer.send({ topic, body: `${i}` }, { queue })
  // Apache's broker fills its queues a moment after it acknowledged.
  await until('the end of the queue is 3', async () => (await admin.maxOffset(queue)) === 3)
  assert.equal(await admin.minOffset(queue), 0)
  assert.equal(await admin.searchOffset(queue, before - 1_000), 0)
  const earliest = await admin.earliestMessageStoreTime(queue)
  assert.ok(Math.abs(earliest - before) < 60_000)
  assert.equal(await admin.topicRoute(fresh('Unknown')), undefined)
})

test('a message is found by its ids and its keys', async () => {
  const topic = fresh('T')
  const key = fresh('order')
  await using admin = new Admin({ namesrvAddr })
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  const sent = await producer.send({ topic, body: 'find me', keys: [key, 'other'] })
  assert.equal((await admin.viewMessage(sent.offsetMsgId))?.text(), 'find me')
  await until('the index', async () => (await admin.queryMessage(topic, key)).length === 1)
  const [found] = await admin.queryMessage(topic, key)
  assert.deepEqual([found?.msgId, found?.text()], [sent.msgId, 'find me'])
  assert.equal((await admin.viewMessage(sent.msgId, topic))?.offsetMsgId, sent.offsetMsgId)
  assert.deepEqual(await admin.queryMessage(topic, 'nobody'), [])
})

test('traces of sends and consumptions are readable records in the trace topic', async () => {
  const topic = fresh('T')
  const customizedTraceTopic = fresh('Trace')
  const group = fresh('cg')
  const producer = new Producer({ namesrvAddr, group: fresh('pg'), enableMsgTrace: true, customizedTraceTopic })
  const sent = await producer.send({ topic, body: 'traced', keys: 'k1' })
  await producer.close()
  const first = { namesrvAddr, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' } as const
  const consumer = new PushConsumer({ ...first, group, enableMsgTrace: true, customizedTraceTopic })
  let done = false
  consumer.subscribe(topic).onMessage(() => {
    done = true
  })
  await consumer.start()
  await until('the message', () => done)
  await consumer.close()
  const records: string[] = []
  await using reader = new PushConsumer({ ...first, group: fresh('cg') })
  reader.subscribe(customizedTraceTopic).onMessage(message => {
    assert.ok(message.keys.includes(sent.msgId))
    records.push(
      ...message
        .text()
        .split('\u0002')
        .filter(record => record !== ''),
    )
  })
  await reader.start()
  await until('three records', () => records.length === 3)
  const byKind = new Map(records.map(record => [record.split('\u0001')[0], record.split('\u0001')]))
  assert.deepEqual(byKind.get('Pub')?.slice(4, 8), [topic, sent.msgId, '', 'k1'])
  assert.equal(byKind.get('Pub')?.at(-1), 'true')
  assert.equal(byKind.get('SubBefore')?.[5], sent.msgId)
  assert.deepEqual(byKind.get('SubAfter')?.slice(2, 3), [sent.msgId])
})
