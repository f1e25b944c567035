import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBatch, pullMessage } from '@skua-mq/protocol'
import type { Furnished } from '../../src/features.ts'
import { pullFrame, RawPeer } from '../raw-peer.ts'
import { insideOf, World } from '../world.ts'

test('a pull that asks for no message, or for less, gets one', async () => {
  const world = await new World().start()
  const peer = world.client('client')
  for (const body of ['one', 'two']) await peer.send('T', body)
  const raw = await RawPeer.open(world)
  for (const [opaque, maxMsgNums] of [
    [1, '0'],
    [2, '-5'],
  ] as const)
    raw.write(pullFrame(opaque, { maxMsgNums }))
  await world.pass(100)
  assert.deepEqual(
    raw.replies.map(reply => [reply.opaque, reply.code, reply.extFields['nextBeginOffset']]),
    [
      [1, 0, '1'],
      [2, 0, '1'],
    ],
  )
  // Beyond what an earlier read of the queue had seen.
  await peer.send('T', 'three')
  raw.write(pullFrame(3, { maxMsgNums: '0', queueOffset: '2' }))
  await world.pass(100)
  assert.deepEqual([raw.replies[2]?.code, raw.replies[2]?.extFields['nextBeginOffset']], [0, '3'])
  await world.stop()
})

test('a pull from before everything, and one from behind everything, is told where to go on', async () => {
  const world = await new World().start()
  await world.client('client').send('T', 'one')
  const raw = await RawPeer.open(world)
  raw.write(pullFrame(1, { queueOffset: '-9223372036854775808' }))
  raw.write(pullFrame(2, { queueOffset: '9223372036854775807' }))
  await world.pass(100)
  assert.deepEqual(
    raw.replies.map(reply => [reply.code, reply.extFields['nextBeginOffset']]),
    [
      [21, '0'],
      [21, '1'],
    ],
  )
  await world.stop()
})

test('a held pull that is woken by more messages than one scan looks at is answered at once, and finds the match behind them', async () => {
  const world = await new World().start()
  const sender = world.client('sender')
  await sender.send('T', 'first', { properties: { TAGS: 'other' } })
  const consumer = world.client('consumer')
  const pull = (queueOffset: number) =>
    consumer.remoting.request(
      world.address,
      pullMessage,
      {
        consumerGroup: 'g',
        topic: 'T',
        queueId: 0,
        queueOffset,
        maxMsgNums: 32,
        sysFlag: 6,
        commitOffset: 0,
        suspendTimeoutMillis: 15_000,
        subscription: 'wanted',
        subVersion: 1,
      },
      { timeoutMs: 20_000 },
    )
  const held = pull(1)
  await world.pass(100)
  assert.equal(world.broker.heldPulls, 1)
  const begunMs = world.runtime.clock.monotonic()
  const batch = Array.from({ length: 1700 }, (_, at) => ({
    flag: 0,
    body: Buffer.from(String(at)),
    properties: Buffer.from(`TAGS\u0001${at === 1699 ? 'wanted' : 'other'}\u0002`),
  }))
  await sender.sendBatch('T', encodeBatch(batch))
  let reply = await world.settle(held)
  const codes = [reply.code]
  while (reply.code === 20) {
    reply = await world.settle(pull(reply.header.nextBeginOffset))
    codes.push(reply.code)
  }
  assert.deepEqual(codes, [20, 20, 0])
  assert.equal(reply.header.nextBeginOffset, 1701)
  assert.ok(world.runtime.clock.monotonic() - begunMs < 100)
  await world.stop()
})

test('a pull that is held is answered when the broker stops, before its connections close', async () => {
  const world = await new World().start()
  await world.client('client').send('T', 'one')
  const raw = await RawPeer.open(world)
  raw.write(pullFrame(7, { queueOffset: '1', sysFlag: '6', suspendTimeoutMillis: '20000' }))
  await world.pass(100)
  assert.deepEqual([world.broker.heldPulls, raw.replies.length], [1, 0])
  const { tables } = insideOf<{ tables: Furnished }>(world.broker)
  const part = tables.furniture.presence.find(({ name }) => name === 'held pulls')
  await part?.stop()
  await world.pass(100)
  assert.deepEqual(
    raw.replies.map(({ opaque, code }) => [opaque, code]),
    [[7, 19]],
  )
  await world.stop()
})
