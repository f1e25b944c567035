import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimerMachine } from './timer-machine.ts'

const dayMs = 86_400_000

test('timerStopEnqueue takes nothing up, timerStopDequeue delivers nothing, and each goes on when it is lifted', async () => {
  const machine = new TimerMachine()
  let [isIntakeStopped, isDeliveryStopped] = [true, true]
  const { store, timers } = await machine.run({
    isIntakeStopped: () => isIntakeStopped,
    isDeliveryStopped: () => isDeliveryStopped,
  })
  await machine.put(store, [machine.timed('a', machine.clock.now() + 5000)])
  await machine.clock.advanceAsync(10_000)
  assert.deepEqual([timers.book.queueOffset, store.maxOffset('T', 0)], [0, 0])
  isIntakeStopped = false
  await machine.clock.advanceAsync(10_000)
  assert.deepEqual([timers.book.queueOffset, store.maxOffset('T', 0)], [1, 0])
  isDeliveryStopped = false
  await machine.clock.advanceAsync(5000)
  assert.equal(store.maxOffset('T', 0), 1)
})

test('a timer whose slot is a whole turn of the wheel ahead of what is delivered waits for it, and takes no other’s place', async () => {
  const machine = new TimerMachine()
  const first = await machine.run()
  const at = Math.ceil(machine.clock.now() / 1000) * 1000 + 60_000
  await machine.put(first.store, [machine.timed('old', at)])
  await machine.clock.advanceAsync(2000)
  await machine.end(first)
  machine.clock.step(13 * dayMs)
  let isDeliveryStopped = true
  const { store, timers } = await machine.run({ isDeliveryStopped: () => isDeliveryStopped })
  // Its slot lies where that of the old one does.
  await machine.put(store, [machine.timed('new', at + 14 * dayMs)])
  await machine.clock.advanceAsync(5000)
  assert.deepEqual([timers.book.queueOffset, timers.book.size], [1, 1])
  isDeliveryStopped = false
  await machine.clock.advanceAsync(5000)
  assert.deepEqual(machine.bodies(store), ['old'])
  assert.deepEqual([timers.book.queueOffset, timers.book.size], [2, 1])
})
