import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cleanExpiredConsumeQueue,
  cleanUnusedTopic,
  deleteExpiredCommitLog,
  getBrokerRuntimeInfo,
} from '@skua-mq/protocol'
import type { Store } from '@skua-mq/store'
import type { Furnished } from '../../src/features.ts'
import { PopMachine } from '../pop/pop-machine.ts'
import { Popper } from '../pop/popper.ts'
import { insideOf, type Peer, World } from '../world.ts'

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

test('316 deletes many topics a few in a turn, and spares what is made meanwhile', async () => {
  const world = await new World({ defaultTopicQueueNums: 1 }).start()
  const [peer, other] = [world.client('client'), world.client('other')]
  const { store, tables } = insideOf<{ store: Store; tables: Furnished }>(world.broker)
  const unused = Array.from({ length: 20 }, (_, i) => `Unused${i}`)
  for (const topic of unused) await peer.send(topic, 'x')
  for (const topic of unused) await world.settle(tables.topics.delete(topic, () => {}))
  const deleted: string[] = []
  const deleteTopic = store.deleteTopic.bind(store)
  store.deleteTopic = topic => {
    // As files on a slow disk.
    world.runtime.clock.block(2)
    deleted.push(topic)
    deleteTopic(topic)
  }
  const cleaned = peer.ask(cleanUnusedTopic, {})
  await world.pass(1)
  assert.ok(deleted.length > 0 && deleted.length <= 6, `${deleted.length} in the first turns`)
  assert.equal((await other.send('Unused19', 'y')).header.queueOffset, 1)
  assert.equal((await cleaned).code, 0)
  assert.deepEqual(deleted, unused.slice(0, -1))
  await world.stop()
})

test('316 spares what lies in topics of the broker that a kill has kept out of the table', async () => {
  const machine = new PopMachine(1)
  await machine.boot()
  const popper = new Popper(machine.client('first'))
  await popper.peer.send('T', 'x')
  await machine.clock.advanceAsync(1000)
  machine.disk.faults.fail({ on: 'write', code: 'EIO', path: 'config/topics' })
  assert.equal((await popper.pop({ invisibleTime: 20_000 })).length, 1)
  await machine.clock.advanceAsync(8000)
  machine.kill()
  machine.disk.faults.clear()
  await machine.boot()
  assert.equal((await machine.client('second').ask(cleanUnusedTopic, {})).code, 0)
  machine.kill()
  await machine.boot()
  await machine.clock.advanceAsync(20_000)
  assert.equal((await new Popper(machine.client('third')).pop()).length, 1)
  await machine.settle(machine.broker.stop())
})
