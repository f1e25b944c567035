import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cleanExpiredConsumeQueue,
  cleanUnusedTopic,
  deleteExpiredCommitLog,
  getBrokerRuntimeInfo,
} from '@skua-mq/protocol'
import { type Peer, World } from '../world.ts'

const minOffset = async (peer: Peer) => {
  const reply = await peer.ask(getBrokerRuntimeInfo, {})
  return Number(getBrokerRuntimeInfo.replyBody!.decode(reply.body!).table.get('commitLogMinOffset'))
}

/** Local time is part of deleteWhen: an hour half a day from the simulated one. */
const farHour = String((new Date(1_767_225_600_000).getHours() + 12) % 24).padStart(2, '0')

test('329 and 306 delete what is expired at any hour', async () => {
  for (const request of [deleteExpiredCommitLog, cleanExpiredConsumeQueue]) {
    const world = await new World({ mappedFileSizeCommitLog: 65_536, fileReservedTime: 1, deleteWhen: farHour }).start()
    const peer = world.client('client')
    for (let i = 0; i < 100; i++) await peer.send('T', 'x'.repeat(2000))
    await world.pass(3_700_000)
    assert.equal(await minOffset(peer), 0)
    assert.equal((await peer.ask(request, {})).code, 0)
    await world.pass(60_000)
    assert.ok((await minOffset(peer)) >= 65_536)
    await world.stop()
  }
})

test('316 leaves alone what topics there are', async () => {
  const world = await new World().start()
  const peer = world.client('client')
  await peer.send('T', 'x')
  assert.equal((await peer.ask(cleanUnusedTopic, {})).code, 0)
  assert.equal((await peer.send('T', 'x')).header.queueOffset, 1)
  await world.stop()
})
