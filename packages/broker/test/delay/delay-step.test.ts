import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '../world.ts'
import { maxOffset } from './max-offset.ts'

test('a send with DELAY is answered as any other, found in its topic later, and not earlier', async () => {
  const world = await new World().start()
  const peer = world.client('sender')
  const sent = await peer.send('T', 'later', { queueId: 2, properties: { DELAY: '1' } })
  assert.equal(sent.code, 0)
  assert.equal(sent.header?.queueId, 2)

  await world.pass(900)
  assert.equal(await maxOffset(peer, 'T', 2), 0)
  await world.pass(200)
  assert.equal(await maxOffset(peer, 'T', 2), 1)
  assert.equal(await maxOffset(peer, 'SCHEDULE_TOPIC_XXXX', 0), 1)
  await peer.send('T', 'level 99 is the highest', { properties: { DELAY: '99' } })
  assert.equal(await maxOffset(peer, 'SCHEDULE_TOPIC_XXXX', 17), 1)
  await world.stop()
})
