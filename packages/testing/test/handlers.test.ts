import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pullMessage } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { startBroker } from '../src/index.ts'

test('a handler that never ends is waited for once, and its message comes again after its time', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'], patience: { handlerMs: 20 } })
  const began = broker.clock.now()
  const calls: number[] = []
  await broker.consume({
    group: 'g',
    topic: 'Orders',
    awaitTerminationMillisWhenShutdown: 10,
    handler: () => {
      calls.push(broker.clock.now() - began)
      return calls.length === 1 ? new Promise<undefined>(() => {}) : undefined
    },
  })
  await broker.send([{ topic: 'Orders', text: 'a' }])
  await broker.idle()
  assert.deepEqual(
    broker.deliveries.map(({ outcome }) => outcome),
    ['running'],
  )
  await broker.clock.advance('2h')
  // RocketMQ's 15 minutes (consumeTimeout), at the next of its rounds, and the delay of a first retry.
  assert.equal(calls.length, 2)
  assert.ok(calls[1]! > 15 * 60_000 && calls[1]! <= 31 * 60_000, `${calls[1]}`)
})

test('order is kept over hours: one that fails holds back those behind it, and nobody steals a queue', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: [{ name: 'Orders', queues: 1 }] })
  const got: string[] = []
  let isOpen = false
  const member = (name: string) =>
    broker.consume({
      group: 'g',
      topic: 'Orders',
      orderly: true,
      handler: message => {
        if (!isOpen) throw new Error('not yet')
        got.push(`${name} ${message.text()}`)
      },
    })
  const [first] = [await member('a'), await member('b')]
  await broker.clock.advance('1m')
  await broker.send(['1', '2', '3'].map(text => ({ topic: 'Orders', text })))
  await broker.clock.advance('10m')
  assert.deepEqual(got, [])
  isOpen = true
  await broker.clock.advance('10s')
  const owner = first.queues.some(({ topic }) => topic === 'Orders') ? 'a' : 'b'
  assert.deepEqual(got, [`${owner} 1`, `${owner} 2`, `${owner} 3`])
  await broker.clock.advance('3d')
  await broker.send([{ topic: 'Orders', text: '4', delay: '1h' }])
  await broker.clock.advance('1h')
  assert.equal(got.at(-1), `${owner} 4`)
})

test('a long poll ends at its time, and not with a time-out of its caller', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: [{ name: 'Orders', queues: 1 }] })
  const client = new RemotingClient(broker.client.runtime)
  const header = {
    ...{ consumerGroup: 'g', topic: 'Orders', queueId: 0, queueOffset: 0, maxMsgNums: 32, sysFlag: 6, commitOffset: 0 },
    ...{ suspendTimeoutMillis: 20_000, subVersion: 0, subscription: '*', expressionType: 'TAG' },
  }
  const began = broker.clock.now()
  const ends: number[] = []
  const pull = (suspendTimeoutMillis: number) =>
    client
      .request(broker.brokerAddr, pullMessage, { ...header, suspendTimeoutMillis }, { timeoutMs: 30_000 })
      .then(({ code }) => ends.push(code, broker.clock.now() - began))
  await broker.producer({ group: 'g' })
  void pull(20_000)
  void pull(7_000)
  await broker.clock.advance('1m')
  assert.deepEqual(ends, [19, 7_000, 19, 20_000])
  await client.close()
})

test('messages of an application without the kit’s options are handled in its own time', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const { PushConsumer } = await import('@skua-mq/client')
  const consumer = new PushConsumer({
    ...{
      namesrvAddr: broker.namesrvAddr,
      group: 'g',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      maxReconsumeTimes: 2,
    },
  })
  const tries: number[] = []
  consumer.subscribe('Orders').onMessage(() => {
    tries.push(broker.clock.now())
    throw new Error('never')
  })
  await consumer.start()
  await broker.send([{ topic: 'Orders', text: 'bad' }])
  // Its answers come over a socket: each is waited for before time goes on.
  await broker.clock.advance('1h')
  assert.deepEqual(
    tries.slice(1).map((at, i) => Math.round((at - tries[i]!) / 1000)),
    [10, 30],
  )
  await broker.expectDeadLetter({ group: 'g', text: 'bad' })
  await consumer.close()
})
