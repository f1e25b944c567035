import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pullFrame, RawPeer } from '../raw-peer.ts'
import { World } from '../world.ts'

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
