import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ackMessage,
  consumerSendMsgBack,
  decodeRecords,
  deleteExpiredCommitLog,
  deleteTopicInBroker,
  encodeBatch,
  invokeBrokerToResetOffset,
  notification,
  peekMessage,
  pollingInfo,
} from '@skua-mq/protocol'
import { World } from '../world.ts'
import { PopMachine } from './pop-machine.ts'
import { type Popped, Popper, texts } from './popper.ts'

async function world(config = {}) {
  const it = await new World(config).start()
  const producer = it.client('producer')
  const popper = new Popper(it.client('consumer'))
  return { it, producer, popper }
}

test('what is popped is invisible for its time, comes again behind it, and never again once it is acknowledged', async () => {
  const { it, producer, popper } = await world()
  for (const text of ['a', 'b', 'c']) await producer.send('T', text, { queueId: 1 })
  const first = await popper.pop({ invisibleTime: 10_000 })
  assert.deepEqual(texts(first), ['a', 'b', 'c'])
  assert.deepEqual(await popper.pop(), [], 'invisible')
  assert.equal(await popper.ack(first[1]!), 0)
  await it.pass(9_500)
  assert.deepEqual(await popper.pop(), [], 'still invisible')
  await it.pass(1500)
  const second = await popper.pop({ invisibleTime: 10_000 })
  assert.deepEqual(texts(second), ['a', 'c'])
  assert.deepEqual([...new Set(second.map(({ message }) => message.reconsumeTimes))], [1])
  assert.deepEqual([...new Set(second.map(({ message }) => message.topic))], ['T'], 'as its consumer knows it')
  for (const popped of second) assert.equal(await popper.ack(popped), 0)
  await it.pass(60_000)
  assert.deepEqual(await popper.pop(), [])
  await it.stop()
})

test('a pop that finds nothing is held until a message comes or its time is over; a message wakes one of a group', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'first')
  for (const popped of await popper.pop()) await popper.ack(popped)
  const others = [1, 2].map(n => new Popper(it.client(`other${n}`)))
  const answers = [popper, ...others].map(one => one.remoteAsk({ pollTime: 15_000 }))
  await it.pass(5000)
  const asked = await producer.ask(pollingInfo, { topic: 'T', consumerGroup: 'g', queueId: -1 })
  assert.equal(asked.header?.pollingNum, 3)
  await producer.send('T', 'second', { queueId: 3 })
  await it.pass(10)
  const now = await producer.ask(pollingInfo, { topic: 'T', consumerGroup: 'g', queueId: -1 })
  assert.equal(now.header?.pollingNum, 2)
  await it.pass(11_000)
  const codes = (await it.settle(Promise.all(answers))).map(({ code }) => code)
  assert.deepEqual(codes, [0, 210, 210])
  await it.stop()
})

test('a pop that takes a part of what is there wakes the next that waits', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'first')
  for (const popped of await popper.pop()) await popper.ack(popped)
  const second = new Popper(it.client('second'))
  const answers = [popper, second].map(one => one.remoteAsk({ pollTime: 15_000, maxMsgNums: 1 }))
  await it.pass(100)
  const batch = encodeBatch(
    ['a', 'b'].map(text => ({ flag: 0, body: Buffer.from(text), properties: new Uint8Array(0) })),
  )
  await producer.sendBatch('T', batch)
  await it.pass(100)
  assert.deepEqual(
    (await it.settle(Promise.all(answers))).map(({ code }) => code),
    [0, 0],
  )
  await it.stop()
})

test('who is retried is found by a pop that waits', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'late')
  await popper.pop({ invisibleTime: 3000 })
  const waiting = popper.remoteAsk({ pollTime: 15_000 })
  await it.pass(4000)
  assert.equal((await it.settle(waiting)).code, 0)
  await it.stop()
})

test('tags and SQL are asked before a message is taken, and what they do not want is passed over', async () => {
  const { it, producer, popper } = await world({ enablePropertyFilter: true })
  for (let n = 0; n < 6; n++)
    await producer.send('T', `m${n}`, { queueId: 0, properties: { TAGS: n % 2 === 0 ? 'even' : 'odd', n: `${n}` } })
  assert.deepEqual(texts(await popper.pop({ exp: 'odd', expType: 'TAG' })), ['m1', 'm3', 'm5'])
  const other = new Popper(it.client('other'), 'T', 'sql')
  assert.deepEqual(texts(await other.pop({ exp: 'n > 3', expType: 'SQL92' })), ['m4', 'm5'])
  assert.deepEqual(texts(await other.pop({ exp: 'n > 3', expType: 'SQL92' })), [])
  assert.equal((await other.ask({ exp: 'n > ', expType: 'SQL92' })).code, 23)
  await it.stop()
})

test('what cannot be popped is refused with the codes of RocketMQ', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'one')
  const codeOf = async (wish: Parameters<Popper['ask']>[0], who = popper) => (await who.ask(wish)).code
  assert.equal(await codeOf({}, new Popper(popper.peer, 'Nowhere')), 17)
  assert.equal(await codeOf({ queueId: 64 }), 29)
  assert.equal(await codeOf({ maxMsgNums: 33 }), 29)
  assert.equal(await codeOf({ invisibleTime: 4 * 24 * 3600 * 1000 }), 29)
  assert.equal(
    await codeOf({}, new Popper(popper.peer, 'T', 'g'.repeat(130))),
    29,
    'its retry topic has no room in a record',
  )
  const [popped] = await popper.pop()
  const settled = {
    consumerGroup: 'g',
    topic: 'T',
    queueId: popped!.message.queueId,
    extraInfo: popped!.handle,
    offset: 0,
  }
  assert.equal((await producer.ask(ackMessage, { ...settled, topic: 'Nowhere' })).code, 17)
  assert.equal((await producer.ask(ackMessage, { ...settled, queueId: 64 })).code, 13)
  assert.equal((await producer.ask(ackMessage, { ...settled, offset: 7 })).code, 208)
  assert.equal((await producer.ask(ackMessage, { ...settled, extraInfo: 'a b c' })).code, 1)
  await it.stop()
})

test('a change of the invisible time replaces the former one, and its handle the former handle', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'one')
  const [popped] = await popper.pop({ invisibleTime: 5000 })
  const changed = await popper.change(popped!, 20_000)
  await it.pass(10_000)
  assert.deepEqual(await popper.pop(), [])
  assert.equal(await popper.ack(popped!), 0, 'the former handle settles nothing')
  await it.pass(12_000)
  assert.deepEqual(texts(await popper.pop({ invisibleTime: 5000 })), ['one'])
  assert.equal(await popper.ack(changed), 0)
  await it.stop()
})

test('a member that could not consume sends back, and the dead letter is there once', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'bad')
  const [popped] = await popper.pop({ invisibleTime: 5000 })
  const back = {
    offset: popped!.message.physicalOffset,
    group: 'g',
    delayLevel: -1,
    originMsgId: '',
    originTopic: 'T',
    unitMode: false,
    maxReconsumeTimes: 16,
  }
  assert.equal((await producer.ask(consumerSendMsgBack, back)).code, 0)
  assert.equal(await popper.ack(popped!), 0)
  await it.pass(10_000)
  assert.deepEqual(await popper.pop(), [])
  const dead = new Popper(it.client('undertaker'), '%DLQ%g', 'undertakers')
  assert.deepEqual(texts(await dead.pop()), ['bad'])
  await it.stop()
})

test('memory for what is not acknowledged is bounded: pops beyond are told so, and go on when there is room', async () => {
  const { it, producer, popper } = await world({ maxPopCheckPointBytes: 2048 })
  for (let n = 0; n < 8; n++) await producer.send('T', `m${n}`, { queueId: 0 })
  const taken: Popped[] = []
  let last = 0
  while (last === 0) {
    const popped = await popper.pop({ maxMsgNums: 1 })
    taken.push(...popped)
    last = popped.length > 0 ? 0 : (await popper.ask({ maxMsgNums: 1 })).code
  }
  assert.equal(last, 209)
  assert.ok(taken.length > 1 && taken.length < 8, `${taken.length}`)
  for (const one of taken) await popper.ack(one)
  assert.equal(texts(await popper.pop()).length, 8 - taken.length)
  await it.stop()
})

test('a reset moves a group that pops', async () => {
  const { it, producer, popper } = await world()
  for (let n = 0; n < 3; n++) await producer.send('T', `m${n}`, { queueId: 0 })
  for (const popped of await popper.pop()) await popper.ack(popped)
  const reset = { topic: 'T', group: 'g', timestamp: 0, isForce: true, queueId: 0, offset: 1 }
  assert.equal((await producer.ask(invokeBrokerToResetOffset, reset)).code, 0)
  await it.pass(2000)
  assert.deepEqual(texts(await popper.pop()), ['m1', 'm2'])
  await it.stop()
})

test('a notification comes with a message, and takes none', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'old')
  for (const popped of await popper.pop()) await popper.ack(popped)
  const wish = { topic: 'T', consumerGroup: 'g', queueId: -1, pollTime: 10_000, bornTime: 0, order: false }
  const over = await producer.ask(notification, { ...wish, pollTime: 1000 })
  assert.deepEqual([over.code, over.header?.hasMsg], [0, false])
  const waiting = producer.remoting.request(it.address, notification, wish, { timeoutMs: 60_000 })
  await it.pass(1000)
  await new Popper(it.client('sender')).peer.send('T', 'new')
  const told = await it.settle(waiting)
  assert.deepEqual([told.code, told.header?.hasMsg], [0, true])
  assert.deepEqual(texts(await popper.pop()), ['new'])
  await it.stop()
})

test('a peek shows what a pop would take, and takes none', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'one')
  const wish = { topic: 'T', consumerGroup: 'g', queueId: -1, maxMsgNums: 32 }
  const seen = await producer.ask(peekMessage, wish)
  assert.deepEqual(
    [...decodeRecords(seen.body!)].map(({ body }) => Buffer.from(body).toString()),
    ['one'],
  )
  assert.deepEqual(texts(await popper.pop()), ['one'])
  assert.equal((await producer.ask(peekMessage, wish)).code, 19)
  await it.stop()
})

test('a topic that is deleted takes its pops along', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'one')
  await popper.pop({ invisibleTime: 3000 })
  const held = new Popper(it.client('held')).remoteAsk({ pollTime: 30_000 })
  await it.pass(100)
  await producer.ask(deleteTopicInBroker, { topic: 'T' })
  assert.notEqual((await it.settle(held)).code, 0)
  await it.pass(5000)
  await producer.send('T', 'of another')
  assert.deepEqual(texts(await popper.pop()), ['of another'])
  await it.stop()
})

test('a topic that is deleted takes along what its groups have to pop again', async () => {
  const { it, producer, popper } = await world()
  const other = new Popper(popper.peer, 'T', 'g_T')
  await producer.send('T', 'old')
  for (const who of [popper, other]) await who.pop({ invisibleTime: 3000 })
  await it.pass(4000)
  await producer.ask(deleteTopicInBroker, { topic: 'T' })
  await producer.send('T', 'young')
  for (const who of [popper, other]) assert.deepEqual(texts(await who.pop()), ['young'])
  await it.stop()
})

test('enableRetryTopicV2 names retry topics anew, and what lies in those of before is popped all the same', async () => {
  const machine = new PopMachine(3)
  await machine.boot()
  const first = new Popper(machine.client('member'))
  await first.peer.send('T', 'old')
  await first.pop({ invisibleTime: 2000 })
  await machine.clock.advanceAsync(3000)
  await machine.settle(machine.broker.stop())
  machine.kill()
  machine.change({ enableRetryTopicV2: true })
  await machine.boot()
  const second = new Popper(machine.client('member'))
  await second.peer.send('T', 'new')
  const popped = await second.pop({ invisibleTime: 2000 })
  assert.deepEqual(texts(popped), ['new', 'old'])
  await machine.clock.advanceAsync(3000)
  const again = await second.pop()
  assert.deepEqual(texts(again), ['new', 'old'])
  assert.deepEqual(again.map(({ handle }) => handle.split(' ')[4]).sort(), ['1', '2'])
  for (const one of again.filter(({ text }) => text === 'old')) assert.equal(await second.ack(one), 0)
  await machine.clock.advanceAsync(61_000)
  // And the other way round.
  await machine.settle(machine.broker.stop())
  machine.kill()
  machine.change({ enableRetryTopicV2: false })
  await machine.boot()
  const third = new Popper(machine.client('member'))
  const last = await third.pop()
  assert.deepEqual(texts(last), ['new'])
  for (const one of last) assert.equal(await third.ack(one), 0)
  await machine.settle(machine.broker.stop())
})

test('a wall clock that jumps revives nothing', async () => {
  const { it, producer, popper } = await world()
  await producer.send('T', 'one')
  const [popped] = await popper.pop({ invisibleTime: 60_000 })
  it.runtime.clock.step(3_600_000)
  await it.pass(5000)
  assert.deepEqual(await popper.pop(), [])
  assert.equal(await popper.ack(popped!), 0)
  await it.stop()
})

test('what retention takes while it is popped is settled, and holds up nothing', async () => {
  const { it, producer, popper } = await world({ fileReservedTime: 1, mappedFileSizeCommitLog: 16_384 })
  const filler = 'x'.repeat(2000)
  await producer.send('T', `old ${filler}`)
  const [old] = await popper.pop({ invisibleTime: 2 * 3600_000 })
  for (let n = 0; n < 30; n++) await producer.send('U', filler)
  await it.pass(3600_000 + 60_000)
  for (let n = 0; n < 30; n++) await producer.send('U', filler)
  await producer.ask(deleteExpiredCommitLog, {})
  await it.pass(60_000)
  await producer.send('T', 'young')
  assert.deepEqual(texts(await popper.pop({ invisibleTime: 5000 })), ['young'])
  await it.pass(3600_000)
  assert.deepEqual(texts(await popper.pop()), ['young'], 'the old one is gone with its file')
  assert.equal((await popper.ask()).code, 210)
  assert.equal(await popper.ack(old!), 208)
  await it.stop()
})

test('a start reads no more than maxPopRereadRecords behind a pop that is open for long', async () => {
  const machine = new PopMachine(9, { maxPopRereadRecords: 10 })
  await machine.boot()
  const first = new Popper(machine.client('member'))
  await first.peer.send('T', 'long', { queueId: 0 })
  await first.pop({ invisibleTime: 3600_000 })
  for (let n = 0; n < 60; n++) {
    await first.peer.send('T', `m${n}`, { queueId: 0 })
    for (const popped of await first.pop()) await first.ack(popped)
    await machine.clock.advanceAsync(250)
  }
  await machine.clock.advanceAsync(7000)
  machine.kill()
  await machine.boot()
  const read = machine.events.find(({ name }) => name === 'pops in flight were read')
  const { checkPoints, records } = read!.fields as { checkPoints: number; records: number }
  assert.equal(checkPoints, 1)
  assert.ok(records < 20, `${records} records`)
  const second = new Popper(machine.client('member'))
  assert.deepEqual(await second.pop(), [])
  await machine.clock.advanceAsync(3600_000)
  assert.deepEqual(texts(await second.pop()), ['long'])
  await machine.settle(machine.broker.stop())
})
