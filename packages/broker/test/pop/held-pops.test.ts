import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseCode } from '@skua-mq/protocol'
import type { Furnished } from '../../src/features.ts'
import type { Peer } from '../world.ts'
import { insideOf, World } from '../world.ts'
import { Popper } from './popper.ts'

async function world(config = {}) {
  const it = await new World(config).start()
  const popper = new Popper(it.client('consumer'))
  await popper.peer.send('T', 'one', { queueId: 0 })
  for (const popped of await popper.pop()) await popper.ack(popped)
  return { it, peer: popper.peer }
}

/** Pops that find nothing and wait, and the codes of those that were answered. */
function holding(peer: Peer) {
  const codes: number[] = []
  const hold = (pollTime: number, wish: object = {}) =>
    void new Popper(peer).remoteAsk({ pollTime, ...wish }).then(
      ({ code }) => codes.push(code),
      () => codes.push(-1),
    )
  return { codes, hold }
}

const { pollingFull, pollingTimeout } = ResponseCode

test('maxHeldPullsPerConnection: further pops of this connection are told so, another one is held', async () => {
  const { it, peer } = await world({ maxHeldPullsPerConnection: 3 })
  const [mine, other] = [holding(peer), holding(it.client('other'))]
  for (let n = 0; n < 5; n++) mine.hold(10_000)
  other.hold(10_000)
  await it.pass(100)
  assert.deepEqual([mine.codes, other.codes], [[pollingFull, pollingFull], []])
  await it.pass(11_000)
  assert.equal(mine.codes.filter(code => code === pollingTimeout).length, 3)
  mine.hold(10_000)
  await it.pass(100)
  assert.equal(mine.codes.length, 5, 'there is room again')
  await it.stop()
})

test('bytes of what is held for one connection are bounded, and given back when it is over', async () => {
  const { it, peer } = await world()
  const attemptId = 'a'.repeat(30_000)
  // 16 MiB of them.
  const most = Math.floor((16 * 1024 * 1024) / 30_600)
  for (let round = 0; round < 2; round++) {
    const { codes, hold } = holding(peer)
    for (let n = 0; n < most + 20; n++) hold(10_000, { attemptId })
    await it.pass(200)
    assert.ok(codes.length >= 10 && codes.length <= 30, `${codes.length} of round ${round} are refused`)
    assert.deepEqual(new Set(codes), new Set([pollingFull]))
    await it.pass(12_000)
    assert.equal(codes.length, most + 20)
  }
  await it.stop()
})

test('pops that wait when the broker stops are answered, before its connections close', async () => {
  const { it, peer } = await world()
  const { codes, hold } = holding(peer)
  for (let n = 0; n < 4; n++) hold(60_000)
  await it.pass(100)
  const { tables } = insideOf<{ tables: Furnished }>(it.broker)
  // By itself: what is on its way when a connection ends is lost in the simulation, and not over TCP.
  await tables.furniture.presence.find(({ name }) => name === 'held pops')?.stop()
  await it.pass(100)
  assert.deepEqual(codes, [pollingTimeout, pollingTimeout, pollingTimeout, pollingTimeout])
  await it.stop()
})
