import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PopMachine } from './pop-machine.ts'
import { Popper, texts } from './popper.ts'

test('what was popped and not acknowledged comes again after brokerClusterName was changed, and nothing else', async () => {
  const machine = new PopMachine(5, { brokerClusterName: 'before', flushDiskType: 'SYNC_FLUSH' })
  await machine.boot()
  const popper = new Popper(machine.client('one'))
  for (let n = 0; n < 6; n++) await popper.peer.send('T', `m${n}`, { queueId: n % 4 })
  const popped = await popper.pop({ invisibleTime: 30_000 })
  assert.equal(popped.length, 6)
  for (const each of popped.filter(({ text }) => text < 'm3')) assert.equal(await popper.ack(each), 0)
  machine.kill()
  machine.change({ brokerClusterName: 'after' })
  await machine.boot()
  const again = new Popper(machine.client('two'))
  // An acknowledgement that comes late counts, too.
  assert.equal(await again.ack(popped.find(({ text }) => text === 'm3')!), 0)
  await machine.clock.advanceAsync(40_000)
  assert.deepEqual(texts(await again.pop()), ['m4', 'm5'])
  await machine.settle(machine.broker.stop())
})
