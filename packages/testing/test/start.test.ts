import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { startBroker, type TestBroker } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'skua-testing-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** What an application does with a client of its own, over TCP and in the machine's time. */
async function sendAndReceive({ namesrvAddr }: TestBroker, topic: string, body: string): Promise<string> {
  const producer = new Producer({ namesrvAddr, group: 'p' })
  const consumer = new PushConsumer({ namesrvAddr, group: 'g', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  try {
    await producer.start()
    const got = new Promise<string>(resolve => consumer.subscribe(topic).onMessage(message => resolve(message.text())))
    await producer.send({ topic, body })
    await consumer.start()
    return await got
  } finally {
    await Promise.all([producer.close(), consumer.close()])
  }
}

for (const clock of ['real', 'virtual'] as const)
  test(`clients over sockets reach a broker with a ${clock} clock`, async () => {
    await using broker = await startBroker({ clock, topics: ['Orders'] })
    assert.equal(await sendAndReceive(broker, 'Orders', 'hello'), 'hello')
  })

test('several brokers stand side by side and know nothing of each other', async () => {
  const brokers = await Promise.all([1, 2, 3].map(() => startBroker({ topics: ['Orders'], clock: 'virtual' })))
  assert.equal(new Set(brokers.map(({ namesrvAddr }) => namesrvAddr)).size, 3)
  await brokers[0]!.send([{ topic: 'Orders', text: 'only here' }])
  const texts = await Promise.all(brokers.map(async one => (await one.messages('Orders')).map(({ text }) => text)))
  assert.deepEqual(texts, [['only here'], [], []])
  await brokers[0]!.clock.advance('1d')
  assert.notEqual(brokers[0]!.clock.now(), brokers[1]!.clock.now())
  await Promise.all(brokers.map(one => one.stop()))
})

test('topics, groups and messages are there before the first client is', async () => {
  const seed = join(folder, 'seed.jsonl')
  writeFileSync(
    seed,
    '{"topic":"Orders","json":{"id":1},"tag":"New","keys":["k1","k2"],"queueId":1}\n\n{"topic":"Orders","text":"zwei","queueId":1}\n',
  )
  const topics = ['Audit', { name: 'Orders', queues: 2, type: 'FIFO' }] as const
  await using broker = await startBroker({ topics, groups: ['billing', { groupName: 'slow', retryMaxTimes: 3 }], seed })
  const [first, second] = await broker.messages('Orders')
  assert.deepEqual(first?.value, { id: 1 })
  assert.deepEqual([first?.tag, first?.keys, first?.queueId, first?.queueOffset], ['New', ['k1', 'k2'], 1, 0])
  assert.deepEqual([second?.text, second?.queueOffset], ['zwei', 1])
  assert.equal((await broker.lag('billing')).total, 0)
  assert.deepEqual(await broker.messages('Audit'), [])
})

test('a seed that is wrong says where', async () => {
  const seed = join(folder, 'wrong.jsonl')
  writeFileSync(seed, '{"topic":"Orders","text":"a"}\n{"topic":"Orders","txet":"b"}\n')
  await assert.rejects(startBroker({ seed }), /wrong\.jsonl, line 2: a message has no member txet; did you mean text\?/)
  await assert.rejects(startBroker({ seed: [{ topic: 'Orders' }] }), /message 1: one of text, json, base64/)
  await assert.rejects(startBroker({ topics: ['Orders', 'Orders'] }), /topic Orders is there twice/)
  await assert.rejects(startBroker({ topics: [{ name: 'Orders', queue: 2 } as never] }), /did you mean queues\?/)
})

test('options that mean nothing are refused before anything starts', async () => {
  await assert.rejects(startBroker({ topic: ['Orders'] } as never), /no option topic; did you mean topics\?/)
  await assert.rejects(
    startBroker({ clock: 'virtuel' as never }),
    /clock of startBroker must be 'virtual' or 'real': 'virtuel'/,
  )
  await assert.rejects(startBroker({ topics: 'Orders' as never }), /topics of startBroker must be a list: 'Orders'/)
  await assert.rejects(startBroker({ port: 70_000 }), /port of startBroker must be a port, 0 to 65535: 70000/)
})

test('a directory keeps what was in it', async () => {
  const store = join(folder, 'store')
  const first = await startBroker({ store, topics: ['Orders'] })
  await first.send([{ topic: 'Orders', text: 'kept' }])
  await first.stop()
  await using second = await startBroker({ store })
  assert.deepEqual(
    (await second.messages('Orders')).map(({ text }) => text),
    ['kept'],
  )
})

test('stop may be called by several, and closes the clients that the broker has made', async () => {
  const broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  await broker.consume({ group: 'g', topic: 'Orders', handler: () => {} })
  await broker.producer()
  await Promise.all([broker.stop(), broker.stop()])
})
