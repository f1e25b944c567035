import assert from 'node:assert/strict'
import { test } from 'node:test'
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

test('a stop while a message is read to come again is clean, and the message comes behind the next start', async () => {
  const { it, popped } = await cold()
  await it.clock.advanceAsync(popped.message.storeTimestamp + 5400 - it.clock.now())
  await it.settle(it.broker.stop())
  const told = it.events.filter(({ level }) => level === 'warn' || level === 'error')
  await it.clock.advanceAsync(5000)
  assert.deepEqual(
    it.events.filter(({ level }) => level === 'warn' || level === 'error').slice(told.length),
    [],
    'nothing happens behind a stop',
  )
  it.disk.faults.clear()
  it.kill()
  await it.boot()
  await it.clock.advanceAsync(5000)
  assert.deepEqual(texts(await new Popper(it.client('member')).pop()), ['cold'])
})
