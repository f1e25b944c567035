import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LitePullConsumer, MemoryOffsetStorage, Producer, PullConsumer, ScheduledPull } from '@skua-mq/client'
import { cluster, fresh, until } from './harness.ts'

const { namesrvAddr } = await cluster()

/** A topic with these bodies in its queue 0. */
async function filled(count: number, tag?: string) {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  const [queue] = await producer.fetchPublishMessageQueues(topic)
  for (let i = 0; i < count; i++) await producer.send({ topic, body: `${i}`, tag }, { queue: queue! })
  return { topic, queue: queue! }
}

test('a pull finds what is there, and says what is not', async () => {
  const { topic, queue } = await filled(5, 'A')
  await using consumer = new PullConsumer({ namesrvAddr, group: fresh('cg'), brokerSuspendMaxTimeMillis: 300 })
  const queues = await consumer.fetchSubscribeMessageQueues(topic)
  assert.ok(queues.some(({ queueId }) => queueId === queue.queueId))
  const found = await consumer.pull(queue, 1, { maxNums: 2 })
  assert.deepEqual([found.status, found.nextBeginOffset, found.minOffset, found.maxOffset], ['FOUND', 3, 0, 5])
  assert.deepEqual(
    found.messages.map(message => message.text()),
    ['1', '2'],
  )
  assert.equal((await consumer.pull(queue, 0, { expression: 'B' })).status, 'NO_MATCHED_MSG')
  assert.equal((await consumer.pull(queue, 99)).status, 'OFFSET_ILLEGAL')
  assert.equal((await consumer.pull(queue, 5)).status, 'NO_NEW_MSG')
  assert.deepEqual([await consumer.minOffset(queue), await consumer.maxOffset(queue)], [0, 5])
})

test('a blocking pull waits for the next message', async () => {
  const { topic, queue } = await filled(1)
  await using consumer = new PullConsumer({ namesrvAddr, group: fresh('cg') })
  const waiting = consumer.pullBlockIfNotFound(queue, 1)
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  await producer.send({ topic, body: 'new' }, { queue })
  const { status, messages } = await waiting
  assert.deepEqual([status, messages[0]?.text()], ['FOUND', 'new'])
})

test('a blocking pull ends when its signal says so', async () => {
  const { queue } = await filled(1)
  await using consumer = new PullConsumer({ namesrvAddr, group: fresh('cg') })
  await consumer.start()
  const abort = new AbortController()
  const waiting = consumer.pullBlockIfNotFound(queue, 1, { signal: abort.signal })
  setTimeout(() => abort.abort(new Error('enough')), 50)
  await assert.rejects(waiting, /enough/)
})

test('offsets are kept by the broker, or where you say', async () => {
  const { queue } = await filled(5)
  const group = fresh('cg')
  const first = new PullConsumer({ namesrvAddr, group })
  await first.updateConsumeOffset(queue, 3)
  await first.close()
  await using second = new PullConsumer({ namesrvAddr, group })
  assert.equal(await second.fetchConsumeOffset(queue, { fromStore: true }), 3)
  const offsetStore = new MemoryOffsetStorage()
  const own = new PullConsumer({ namesrvAddr, group: fresh('cg'), offsetStore })
  await own.updateConsumeOffset(queue, 4)
  await own.persist()
  await own.close()
  assert.equal(await offsetStore.read(queue), 4)
})

test('queue listeners hear their share', async () => {
  const { topic } = await filled(1)
  const shares: number[] = []
  await using consumer = new PullConsumer({ namesrvAddr, group: fresh('cg') })
  consumer.registerMessageQueueListener(topic, (_topic, { all, own }) => shares.push(all.length, own.length))
  await consumer.start()
  await until('the first share', () => shares.length > 0)
  assert.equal(shares[0], shares[1])
})

test('scheduled tasks run for each queue, as often as they ask for', async () => {
  const { topic, queue } = await filled(6)
  const seen: string[] = []
  const runs = new Map<number, number>()
  await using service = new ScheduledPull({ namesrvAddr, group: fresh('cg') })
  service.registerPullTask(topic, async (own, context) => {
    context.pullNextDelayTimeMillis = 10
    runs.set(own.queueId, (runs.get(own.queueId) ?? 0) + 1)
    if (own.queueId !== queue.queueId) return
    const offset = (await context.consumer.fetchConsumeOffset(own)) ?? 0
    const { messages, nextBeginOffset } = await context.consumer.pull(own, offset, {
      maxNums: 2,
      signal: context.signal,
    })
    for (const message of messages) seen.push(message.text())
    await context.consumer.updateConsumeOffset(own, nextBeginOffset)
  })
  await service.start()
  await until('all messages', () => seen.length >= 6)
  assert.deepEqual(seen, ['0', '1', '2', '3', '4', '5'])
  assert.ok([...runs.values()].every(count => count >= 1))
})

const drain = async (consumer: LitePullConsumer, count: number) => {
  const bodies: string[] = []
  await until(`${count} messages`, async () => {
    for (const message of await consumer.poll({ timeoutMs: 200 })) bodies.push(message.text())
    return bodies.length >= count
  })
  return bodies
}

test('lite pull: subscribe, poll, commit, and go on there', async () => {
  const { topic } = await filled(25)
  const group = fresh('cg')
  const options = { namesrvAddr, group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' } as const
  const first = new LitePullConsumer(options).subscribe(topic)
  assert.equal((await drain(first, 25)).length, 25)
  await first.commit()
  await first.close()
  await using second = new LitePullConsumer(options).subscribe(topic)
  assert.deepEqual(await second.poll({ timeoutMs: 500 }), [])
})

test('lite pull: assign, seek, pause and committed offsets', async () => {
  const { topic, queue } = await filled(10)
  await using consumer = new LitePullConsumer({
    namesrvAddr,
    group: fresh('cg'),
    autoCommit: false,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  })
  await consumer.assign([queue])
  assert.throws(() => consumer.subscribe(topic), { code: 'STATE' })
  assert.equal((await drain(consumer, 10)).length, 10)
  await consumer.seek(queue, 7)
  assert.deepEqual(await drain(consumer, 3), ['7', '8', '9'])
  await consumer.commit()
  assert.equal(await consumer.committed(queue), 10)
  await assert.rejects(consumer.seek(queue, 11), { code: 'OFFSET' })
  consumer.pause([queue])
  await consumer.seekToBegin(queue)
  assert.deepEqual(await consumer.poll({ timeoutMs: 300 }), [])
  consumer.resume([queue])
  assert.equal((await drain(consumer, 10))[0], '0')
})
