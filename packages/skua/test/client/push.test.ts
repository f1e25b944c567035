import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idempotent, MemoryIdempotentStore, Producer, PullConsumer, PushConsumer } from '@skua-mq/client'
import { cluster, fresh, sendAll, until } from './harness.ts'

const running = await cluster()
const { namesrvAddr } = running
const fromFirst = { namesrvAddr, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' } as const
const numbered = (topic: string, count: number, tag?: string) =>
  Array.from({ length: count }, (_, i) => ({ topic, body: `${i}`, tag }))

test('only wanted tags come, and offsets move over the others', async () => {
  const topic = fresh('T')
  await sendAll(running, [...numbered(topic, 5, 'A'), ...numbered(topic, 5, 'B'), ...numbered(topic, 5)])
  const tags: (string | undefined)[] = []
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  consumer.subscribe(topic, ' B ').onMessage(message => void tags.push(message.tag))
  await consumer.start()
  await until('five messages', () => tags.length >= 5)
  assert.deepEqual(tags, Array(5).fill('B'))
})

test('a message that failed comes again under its own topic, counted', async () => {
  const topic = fresh('T')
  await sendAll(running, numbered(topic, 1))
  const tries: [topic: string, times: number][] = []
  const failures: unknown[] = []
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  consumer.on('handlerFailed', ({ error }) => failures.push(error))
  consumer.subscribe(topic).onMessage((message, context) => {
    tries.push([message.topic, message.reconsumeTimes])
    context.delayLevelWhenNextConsume = 1
    if (tries.length === 1) throw new Error('not yet')
    return tries.length === 2 ? 'RECONSUME_LATER' : undefined
  })
  await consumer.start()
  await until('three tries', () => tries.length === 3, 40_000)
  assert.deepEqual(tries, [
    [topic, 0],
    [topic, 1],
    [topic, 2],
  ])
  assert.equal(failures.length, 1)
})

test('after the last try a message is a dead letter', async () => {
  const topic = fresh('T')
  const group = fresh('cg')
  await sendAll(running, numbered(topic, 1))
  let tries = 0
  await using consumer = new PushConsumer({ ...fromFirst, group })
  consumer.subscribe(topic).onMessage((_message, context) => {
    tries++
    context.delayLevelWhenNextConsume = -1
    return 'RECONSUME_LATER'
  })
  await consumer.start()
  await until('a try', () => tries === 1)
  await using puller = new PullConsumer({ namesrvAddr, group: fresh('cg') })
  const dead = `%DLQ%${group}`
  await until('the dead letter topic', async () => {
    const queues = await puller.fetchSubscribeMessageQueues(dead).catch(() => [])
    if (queues.length === 0) return false
    const { messages } = await puller.pull(queues[0]!, 0)
    return messages.some(message => message.properties.get('RETRY_TOPIC') === topic && message.text() === '0')
  })
})

test('batches acknowledge up to ackIndex, and the rest comes again', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (const message of numbered(topic, 4)) await producer.send(message, { orderKey: 1 })
  const again: string[] = []
  let first = 0
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg'), consumeMessageBatchMaxSize: 4 })
  consumer.subscribe(topic).onMessages((messages, context) => {
    context.delayLevelWhenNextConsume = 1
    if (messages[0]!.reconsumeTimes === 0) {
      first += messages.length
      context.ackIndex = 1
    } else for (const message of messages) again.push(message.text())
  })
  await consumer.start()
  await until('two messages again', () => again.length === 2, 40_000)
  assert.equal(first, 4)
  assert.deepEqual(again.sort(), ['2', '3'])
})

test('orderly: one message of a queue at a time, in order, and a failure holds the queue up', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (let i = 0; i < 40; i++) await producer.send({ topic, body: `${i}` }, { orderKey: i % 2 })
  const seen = new Map<number, string[]>()
  const inside = new Set<number>()
  let failed = false
  await using consumer = new PushConsumer({
    ...fromFirst,
    group: fresh('cg'),
    orderly: true,
    suspendCurrentQueueTimeMillis: 50,
  })
  consumer.subscribe(topic).onMessage(async message => {
    const { queueId } = message.queue
    assert.ok(!inside.has(queueId), 'two at a time')
    inside.add(queueId)
    await new Promise(resolve => setTimeout(resolve, 2))
    inside.delete(queueId)
    if (message.text() === '10' && !failed) {
      failed = true
      return 'SUSPEND_CURRENT_QUEUE_A_MOMENT'
    }
    seen.set(queueId, [...(seen.get(queueId) ?? []), message.text()])
    return undefined
  })
  await consumer.start()
  await until('40 messages', () => [...seen.values()].flat().length === 40)
  assert.ok(failed)
  for (const bodies of seen.values())
    assert.deepEqual(
      bodies,
      [...bodies].sort((a, b) => Number(a) - Number(b)),
    )
})

test('a group goes on where it was, without gap and without repetition', async () => {
  const topic = fresh('T')
  const group = fresh('cg')
  await sendAll(running, numbered(topic, 50))
  const seen: string[] = []
  const consume = async (count: number) => {
    const consumer = new PushConsumer({ ...fromFirst, group })
    consumer.subscribe(topic).onMessage(message => void seen.push(message.text()))
    await consumer.start()
    await until(`${count} messages`, () => seen.length >= count)
    await consumer.close()
  }
  await consume(50)
  await sendAll(running, numbered(topic, 100).slice(50))
  await consume(100)
  assert.equal(seen.length, 100)
  assert.equal(new Set(seen).size, 100)
})

test('members share the queues of a topic; who stays takes over from who leaves', async () => {
  const topic = fresh('T')
  const group = fresh('cg')
  await sendAll(running, numbered(topic, 1))
  const member = () => new PushConsumer({ ...fromFirst, group }).subscribe(topic).onMessage(() => {})
  await using first = member()
  const second = member()
  const ids = (consumer: PushConsumer) =>
    consumer.queues.filter(queue => queue.topic === topic).map(queue => queue.queueId)
  await first.start()
  const all = ids(first).length
  assert.ok(all >= 2)
  await second.start()
  await until('a share for both', () => ids(second).length > 0 && ids(first).length + ids(second).length === all)
  assert.equal(new Set([...ids(first), ...ids(second)]).size, all)
  await second.close()
  await until('everything for the first', () => ids(first).length === all)
})

test('broadcasting gives each member everything, and each goes on where it was', async () => {
  const topic = fresh('T')
  const group = fresh('cg')
  await sendAll(running, numbered(topic, 8))
  const { mkdtempSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const localOffsetStoreDir = mkdtempSync(`${tmpdir()}/skua-offsets-`)
  const open = (instanceName: string, seen: string[]) => {
    const consumer = new PushConsumer({
      ...fromFirst,
      group,
      instanceName,
      messageModel: 'BROADCASTING',
      localOffsetStoreDir,
    })
    return consumer.subscribe(topic).onMessage(message => void seen.push(message.text()))
  }
  const seen: [string[], string[]] = [[], []]
  const one = open('one', seen[0])
  const two = open('two', seen[1])
  await Promise.all([one.start(), two.start()])
  await until('eight each', () => seen[0].length >= 8 && seen[1].length >= 8)
  await Promise.all([one.close(), two.close()])
  await sendAll(running, [{ topic, body: 'ninth' }])
  const again = open('one', seen[0])
  await again.start()
  await until('the ninth', () => seen[0].includes('ninth'))
  await again.close()
  assert.deepEqual([seen[0].length, seen[1].length], [9, 8])
})

test('suspend holds messages back and resume lets them come', async () => {
  const topic = fresh('T')
  await sendAll(running, numbered(topic, 1))
  const seen: string[] = []
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg'), brokerSuspendMaxTimeMillis: 1_000 })
  consumer.subscribe(topic).onMessage(message => void seen.push(message.text()))
  await consumer.start()
  await until('the first', () => seen.length === 1)
  consumer.resume()
  consumer.suspend()
  // Pulls that were held at the broker when we suspended may still bring something; those after them do not.
  await new Promise(resolve => setTimeout(resolve, 1_500))
  consumer.resume()
  await sendAll(running, numbered(topic, 3))
  await until('all', () => seen.length === 4)
})

test('an idempotent handler runs once for two messages of one key', async () => {
  const topic = fresh('T')
  await sendAll(running, [
    { topic, body: 'a', keys: 'k' },
    { topic, body: 'a', keys: 'k' },
    { topic, body: 'b', keys: 'l' },
  ])
  const runs: string[] = []
  const store = new MemoryIdempotentStore()
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg'), consumeThreadMax: 1 })
  consumer
    .subscribe(topic)
    .onMessage(idempotent({ store, key: message => message.keys[0]! }, message => void runs.push(message.text())))
  await consumer.start()
  await until('b', () => runs.includes('b'))
  assert.equal(runs.filter(body => body === 'a').length <= 1, true)
})

test('a handler that holds the loop is named', async () => {
  const topic = fresh('T')
  await sendAll(running, numbered(topic, 1))
  const blocked: string[] = []
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg'), handlerBlockedMs: 20 })
  consumer.on('handlerBlocked', ({ handler }) => blocked.push(handler))
  consumer.subscribe(topic).onMessage(function slowHandler() {
    const end = Date.now() + 50
    while (Date.now() < end);
  })
  await consumer.start()
  await until('the warning', () => blocked.length > 0)
  assert.equal(blocked[0], 'slowHandler')
})

test('a backlog beyond the allowed number is skipped', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (const message of numbered(topic, 20)) await producer.send(message, { orderKey: 1 })
  const seen: string[] = []
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg'), skipBacklogBeyond: 5 })
  consumer.subscribe(topic).onMessage(message => void seen.push(message.text()))
  await consumer.start()
  await until('the end of the queue', () => seen.includes('19'))
  assert.deepEqual(seen.sort(), ['15', '16', '17', '18', '19'])
})
