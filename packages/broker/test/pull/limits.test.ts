import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseCode } from '@skua-mq/protocol'
import { maxHeldBytesPerConnection, maxHeldPerQueue } from '../../src/pull/held-pulls.ts'
import { pullFrame, RawPeer } from '../raw-peer.ts'
import { World } from '../world.ts'

/** A held pull of T begins at its end. */
const held = (opaque: number, changes: Record<string, string> = {}) =>
  pullFrame(opaque, { queueOffset: '1', sysFlag: '6', ...changes })

async function worldWithTopic(config: ConstructorParameters<typeof World>[0] = {}) {
  const world = await new World(config).start()
  const peer = world.client('client')
  await peer.send('T', 'one')
  return { world, peer }
}

test('a pull is held for maxPullHoldMs at most, whatever it asks for', async () => {
  const { world } = await worldWithTopic({ maxPullHoldMs: 20_000 })
  const raw = await RawPeer.open(world)
  raw.write(held(1, { suspendTimeoutMillis: '9007199254740991' }))
  await world.pass(19_000)
  assert.deepEqual([world.broker.heldPulls, raw.replies.length], [1, 0])
  await world.pass(2000)
  assert.deepEqual([world.broker.heldPulls, raw.replies[0]?.code], [0, ResponseCode.pullNotFound])
  await world.stop()
})

test('above maxHeldPullsPerConnection and maxHeldPulls a pull is answered at once; others are held on', async () => {
  const { world } = await worldWithTopic({ maxHeldPullsPerConnection: 4, maxHeldPulls: 6 })
  const [first, second] = [await RawPeer.open(world), await RawPeer.open(world)]
  for (let i = 0; i < 6; i++) first.write(held(i))
  await world.pass(100)
  assert.deepEqual(
    first.replies.map(({ opaque, code }) => [opaque, code]),
    [
      [4, ResponseCode.pullNotFound],
      [5, ResponseCode.pullNotFound],
    ],
  )
  for (let i = 0; i < 3; i++) second.write(held(i))
  await world.pass(100)
  assert.deepEqual(
    second.replies.map(({ opaque }) => opaque),
    [2],
  )
  first.socket.destroy()
  await world.pass(1000)
  assert.equal(world.broker.heldPulls, 2)
  await world.stop()
})

test('the expressions of held pulls are bounded in bytes, for one connection, and for one queue by number', async () => {
  const { world, peer } = await worldWithTopic()
  const raw = await RawPeer.open(world)
  const long = `A||${'x'.repeat(60_000)}`
  let asked = 0
  for (let queueId = 0; queueId < 4; queueId++) {
    for (let i = 0; i < 100; i++)
      raw.write(held(asked++, { queueId: String(queueId), queueOffset: '0', subscription: long }))
  }
  await world.pass(2000)
  const kept = world.broker.heldPulls
  assert.ok(kept > 200 && kept * long.length < maxHeldBytesPerConnection, String(kept))
  assert.equal(raw.replies.length, asked - kept)
  raw.socket.destroy()
  await world.pass(1000)
  assert.equal(world.broker.heldPulls, 0)
  const many = await RawPeer.open(world)
  for (let i = 0; i < 300; i++) many.write(held(i))
  await world.pass(500)
  assert.equal(world.broker.heldPulls, maxHeldPerQueue)
  await peer.send('T', 'two')
  await world.pass(500)
  assert.equal(many.replies.filter(({ code }) => code === ResponseCode.success).length, maxHeldPerQueue)
  await world.stop()
})

test('an expression that is longer than any is refused with 23 and the limit, by tag as by SQL92', async () => {
  const { world } = await worldWithTopic({ enablePropertyFilter: true })
  for (const expressionType of ['TAG', 'SQL92']) {
    const raw = await RawPeer.open(world)
    raw.write(pullFrame(1, { expressionType, subscription: `a${' '.repeat(100_000)}` }))
    await world.pass(100)
    assert.equal(raw.replies[0]?.code, ResponseCode.subscriptionParseFailed)
    assert.match(raw.replies[0]?.remark ?? '', /100001 characters, at most 65536/)
  }
  await world.stop()
})

test('a consumer that does not take its answers has few of them in memory, and its held pulls are told to ask again', async () => {
  const { world, peer } = await worldWithTopic({ mappedFileSizeCommitLog: 16 * 1024 * 1024 })
  for (let i = 0; i < 40; i++) await peer.send('Big', 'x'.repeat(200_000))
  const raw = await RawPeer.open(world)
  raw.write(held(1000, { topic: 'T', suspendTimeoutMillis: '60000' }))
  await world.pass(50)
  raw.socket.pause()
  for (let i = 0; i < 400; i++) raw.write(pullFrame(i, { topic: 'Big', queueOffset: String(i % 39) }))
  await world.pass(500)
  await peer.send('T', 'two')
  // Nobody else waits for it.
  await peer.send('Other', 'three')
  await world.pass(500)
  raw.socket.resume()
  await world.pass(60_000)
  const told = raw.replies.find(({ opaque }) => opaque === 1000)
  assert.deepEqual([told?.code, told?.extFields['nextBeginOffset']], [ResponseCode.pullRetryImmediately, '1'])
  assert.equal(raw.replies.filter(({ code }) => code === ResponseCode.success).length, 400)
  await world.stop()
})
