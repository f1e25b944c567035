import assert from 'node:assert/strict'
import test from 'node:test'
import { delayOffsetFile, scheduleTopic } from '@skua-mq/protocol'
import { DelayedDelivery } from '../../src/delay/delayed-delivery.ts'
import { TableFile } from '../../src/persist/table-file.ts'
import { type Process, StoreMachine, text } from '../store-machine.ts'

function deliver({ runtime, store }: Process) {
  const file = new TableFile({ ...runtime, codec: delayOffsetFile, path: '/store/config/delayOffset.json' })
  const levels = [1000, 5000, 10_000, 30_000]
  const delivery = new DelayedDelivery({
    ...runtime,
    store,
    levels,
    file,
    intervalMs: () => 1000,
    undeliverable: () => 'kept',
  })
  delivery.start()
}

test('a delayed message that is on the medium is not lost between its delivery and the sync of what was delivered', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const machine = new StoreMachine({}, seed)
    const first = await machine.boot()
    deliver(first)
    const properties = { DELAY: '4', REAL_TOPIC: 'T', REAL_QID: '0' }
    await machine.put(first.store, [{ topic: scheduleTopic, queueId: 3, body: 'one', properties }])
    // It is synced, another one has the log synced a second before its time, and a second behind that it counts as delivered.
    await machine.clock.advanceAsync(29_000)
    await machine.put(first.store, [{ topic: 'U', body: 'two' }])
    await machine.clock.advanceAsync(3000)
    machine.powerCut()
    const second = await machine.boot()
    deliver(second)
    await machine.clock.advanceAsync(30_000)
    assert.deepEqual(machine.read(second.store, 'T').map(text), ['one'], `seed ${seed}`)
  }
})
