import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ackMessage,
  batchAckMessage,
  notification,
  printExtraInfo,
  queryConsumerOffset,
  ResponseCode,
} from '@skua-mq/protocol'
import { World } from '../world.ts'
import { PopMachine } from './pop-machine.ts'
import { Popper, texts } from './popper.ts'

const order = true
const invisibleTime = 5000

async function world(queues: readonly number[] = [0, 0]) {
  const it = await new World().start()
  const popper = new Popper(it.client('consumer'))
  for (const [n, queueId] of queues.entries()) await popper.peer.send('T', `m${n}`, { queueId })
  return { it, popper }
}

const inOrder = { c: 'g', t: 'T', r: '0', q: 0, rq: 999, pt: 1, it: 1 }
const bits = (...set: number[]) => {
  const bytes = Buffer.alloc(4)
  for (const bit of set) bytes[bit >> 3]! |= 1 << (bit & 7)
  return bytes.toString('base64')
}

test('a batch in order says nothing of places that nobody wrote', async () => {
  const { it, popper } = await world()
  const offsetOf = async (topic: string, queueId: number) =>
    (await popper.peer.ask(queryConsumerOffset, { consumerGroup: 'g', topic, queueId })).header?.offset
  const entries = [
    { ...inOrder, so: 100, b: bits(3) },
    { ...inOrder, so: 2, b: bits(0) },
    { ...inOrder, t: 'Nowhere', so: 5, b: bits(0) },
    { ...inOrder, q: 77, so: 0, b: bits(0) },
  ]
  for (const ack of entries) await popper.peer.ask(batchAckMessage, {}, { brokerName: 'broker-a', acks: [ack] })
  await popper.peer.send('T', 'm2', { queueId: 0 })
  assert.deepEqual(texts(await popper.pop({ order, invisibleTime })), ['m0', 'm1', 'm2'])
  assert.notEqual(await offsetOf('Nowhere', 0), 6)
  assert.notEqual(await offsetOf('T', 77), 1)
  await it.stop()
})

test('bits of a batch cost what they are asked for, however many are set', async () => {
  const { it, popper } = await world([0, 0, 0])
  const [first] = await popper.pop({ maxMsgNums: 1 })
  const { queueOffset } = first!.message
  assert.equal(queueOffset, 0)
  // Half a megabyte of ones, in an entry each of a pop, of one in order, and of none.
  const b = Buffer.alloc(120_000, 255).toString('base64')
  const popTime = Number(first!.handle.split(' ')[1])
  const ofPop = { ...inOrder, rq: Number(first!.handle.split(' ')[3]), pt: popTime, it: 60_000, so: 0, b }
  const acks = [ofPop, { ...ofPop, pt: 5 }, { ...inOrder, c: 'other', so: 0, b }, { ...inOrder, c: 'third', so: 0, b }]
  const begun = performance.now()
  const reply = await popper.peer.ask(batchAckMessage, {}, { brokerName: 'broker-a', acks })
  const took = performance.now() - begun
  assert.equal(reply.code, 0, reply.remark)
  assert.ok(took < 150, `${took} ms`)
  await it.stop()
})

test('an acknowledgement in order of what is not there yet does not skip the message that comes', async () => {
  const { it, popper } = await world()
  // Of a group of which nothing is known here, as after a start that lost it.
  const info = {
    startOffset: 0,
    popTime: 1,
    invisibleTime,
    reviveQid: 999,
    mark: '0',
    brokerName: 'broker-a',
    queueId: 0,
  }
  const extraInfo = printExtraInfo({ ...info, queueOffset: 2 })
  const ack = { consumerGroup: 'g', topic: 'T', queueId: 0, offset: 2, extraInfo }
  assert.equal((await popper.peer.ask(ackMessage, ack)).code, ResponseCode.noMessage)
  await popper.peer.send('T', 'm2', { queueId: 0 })
  assert.deepEqual(texts(await popper.pop({ order, invisibleTime })), ['m0', 'm1', 'm2'])
  await it.stop()
})

test('an acknowledgement in order from before a power cut does not count for the message that has got the place', async () => {
  let tried = 0
  for (let seed = 1; seed <= 6; seed++) {
    const machine = new PopMachine(seed, { flushDiskType: 'ASYNC_FLUSH' })
    await machine.boot()
    const before = new Popper(machine.client('member'))
    await before.peer.send('T', 'kept', { queueId: 0 })
    await machine.clock.advanceAsync(12_000)
    await before.peer.send('T', 'gone', { queueId: 0 })
    const [, gone] = await before.pop({ order, invisibleTime: 60_000 })
    assert.equal(gone?.text, 'gone')
    // What is taken in order is on the medium after five seconds, its messages perhaps not yet.
    await machine.clock.advanceAsync(seed % 2 === 0 ? 5 : 5600)
    machine.powerCut()
    await machine.clock.advanceAsync(10)
    await machine.boot()
    const after = new Popper(machine.client('member'))
    const sent = await after.peer.send('T', 'next', { queueId: 0 })
    if (sent.header?.queueOffset !== gone.message.queueOffset) continue
    tried++
    const popper = new Popper(after.peer)
    assert.equal(await popper.ack(gone), ResponseCode.noMessage)
    const again = await popper.pop({ order, invisibleTime })
    assert.ok(texts(again).includes('next'), `seed ${seed}: ${texts(again)}`)
    await machine.settle(machine.broker.stop())
  }
  assert.ok(tried > 0, `${tried} of the cuts took a message`)
})

test('a message in order that is given back with a shorter time comes to who waits when that is over', async () => {
  const { it, popper } = await world()
  const [first] = await popper.pop({ order, invisibleTime: 30_000, maxMsgNums: 1 })
  const other = new Popper(it.client('other'))
  const waiting = other.remoteAsk({ order, invisibleTime, maxMsgNums: 1, pollTime: 15_000 })
  await it.pass(100)
  const begun = it.runtime.clock.now()
  await popper.change(first!, 1000)
  const reply = await it.settle(waiting)
  const waited = it.runtime.clock.now() - begun
  assert.equal(reply.header?.msgOffsetInfo, '0 0 0')
  assert.ok(waited >= 1000 && waited < 1100, `${waited} ms`)
  await it.stop()
})

test('who waits for a pop in order is told when the queue is free, by an acknowledgement and by time', async () => {
  const { it, popper } = await world()
  const told = async (free: () => Promise<unknown>) => {
    const begun = it.runtime.clock.now()
    const ask = { consumerGroup: 'g', topic: 'T', queueId: 0, pollTime: 15_000, bornTime: begun, order }
    const asked = popper.peer.remoting.request(it.address, notification, ask, { timeoutMs: 20_000 })
    await it.pass(10)
    await free()
    assert.equal((await it.settle(asked)).header?.hasMsg, true)
    return it.runtime.clock.now() - begun
  }
  const [first] = await popper.pop({ order, invisibleTime: 30_000, maxMsgNums: 1 })
  const byAck = await told(() => popper.ack(first!))
  await popper.pop({ order, invisibleTime: 2000, maxMsgNums: 1 })
  const byTime = await told(async () => {})
  assert.ok(byAck < 100 && byTime >= 1900 && byTime < 2100, `${byAck} and ${byTime} ms`)
  await it.stop()
})

test('every queue in order that is free by time wakes one of those who wait', async () => {
  const { it, popper } = await world([0, 1])
  await popper.pop({ order, invisibleTime: 2000, queueId: 0 })
  await popper.pop({ order, invisibleTime: 4000, queueId: 1 })
  const others = [1, 2, 3].map(n => new Popper(it.client(`other-${n}`)))
  const waits: number[] = []
  const begun = it.runtime.clock.now()
  const asked = others.map(async other => {
    const wish = { order, invisibleTime: 3000, maxMsgNums: 1, pollTime: 15_000 }
    const reply = await other.remoteAsk(wish)
    if (reply.code === 0) waits.push(it.runtime.clock.now() - begun)
  })
  await it.pass(16_000)
  await Promise.all(asked)
  // The third one gets what the first one took and did not acknowledge.
  assert.deepEqual(
    waits.map(ms => Math.round(ms / 500) * 500),
    [2000, 4000, 5000],
  )
  await it.stop()
})
