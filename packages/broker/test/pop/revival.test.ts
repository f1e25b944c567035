import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PropertyName } from '@skua-mq/protocol'
import type { Furnished } from '../../src/features.ts'
import { insideOf } from '../world.ts'
import { PopMachine } from './pop-machine.ts'
import { Popper, texts } from './popper.ts'

/** One message that is popped for five seconds, and lies on the disk only. */
async function cold() {
  const it = new PopMachine(3, { mappedFileSizeCommitLog: 64 * 1024 })
  await it.boot()
  const before = new Popper(it.client('member'))
  await before.peer.send('T', 'cold', { queueId: 0 })
  for (let n = 0; n < 3; n++) await before.peer.send('U', 'x'.repeat(40_000))
  const [popped] = await before.pop({ invisibleTime: 5000 })
  it.kill()
  await it.boot()
  const popper = new Popper(it.client('member'))
  it.disk.faults.slow({ on: 'read', ms: 800, path: 'commitlog/00000000000000000000' })
  return { it, popper, popped: popped! }
}

test('a message that is acknowledged while it is read to come again does not come again', async () => {
  const { it, popper, popped } = await cold()
  await it.clock.advanceAsync(popped.message.storeTimestamp + 5400 - it.clock.now())
  assert.equal(await popper.ack(popped), 0)
  await it.clock.advanceAsync(30_000)
  assert.deepEqual(texts(await popper.pop()), [])
  await it.settle(it.broker.stop())
})

test('a stop waits for the message that is read to come again, and it comes behind the next start', async () => {
  const { it, popped } = await cold()
  await it.clock.advanceAsync(popped.message.storeTimestamp + 5400 - it.clock.now())
  const { tables } = insideOf<{ tables: Furnished }>(it.broker)
  const begunMs = it.clock.monotonic()
  await it.settle(tables.furniture.services.find(({ name }) => name === 'revival')!.stop())
  assert.ok(it.clock.monotonic() - begunMs > 200, 'the read is over')
  await it.settle(it.broker.stop())
  it.disk.faults.clear()
  it.kill()
  await it.boot()
  await it.clock.advanceAsync(5000)
  assert.deepEqual(texts(await new Popper(it.client('member')).pop()), ['cold'])
})

test('an acknowledgement that is on its way when its check point is written again counts behind a kill', async () => {
  const it = new PopMachine(9, { flushDiskType: 'SYNC_FLUSH', maxPopRereadRecords: 10 })
  await it.boot()
  const popper = new Popper(it.client('member'))
  for (const text of ['acked', 'open']) await popper.peer.send('T', text, { queueId: 0 })
  const [acked] = await popper.pop({ invisibleTime: 60_000 })
  const quick = it.disk.faults.slow({ on: 'sync', ms: 3000, path: 'commitlog' })
  const begunMs = it.clock.monotonic()
  const acking = popper.ack(acked!)
  // Behind it so much comes that its check point is to be written again, before the acknowledgement is on the medium.
  const properties = { [PropertyName.timerDelaySeconds]: '3600' }
  const behind = Array.from({ length: 12 }, () => popper.peer.send('U', 'later', { properties }))
  await it.clock.advanceAsync(1000)
  assert.ok(it.clock.monotonic() - begunMs < 3000)
  quick()
  assert.equal(await acking, 0)
  await Promise.all(behind)
  // What a start need not read any more is written down.
  await it.clock.advanceAsync(8000)
  it.kill()
  await it.boot()
  await it.clock.advanceAsync(65_000)
  assert.deepEqual(texts(await new Popper(it.client('member')).pop()), ['open'])
})
