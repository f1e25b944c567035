import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TimerMachine } from './timer-machine.ts'

const dayMs = 86_400_000

describe('a wall clock that was ahead', () => {
  for (const days of [0.5, 3, 400])
    test(`by ${days} days while the broker was started again makes no new timer late`, async () => {
      const machine = new TimerMachine()
      const { clock } = machine
      let process = await machine.run()
      await machine.put(process.store, [machine.timed('a', clock.now() + 5000)])
      await clock.advanceAsync(2000)
      clock.step(days * dayMs)
      await clock.advanceAsync(10_000)
      await machine.put(process.store, [machine.timed('b', clock.now() + 1000)])
      await clock.advanceAsync(10_000)
      assert.deepEqual(machine.bodies(process.store), ['a', 'b'])
      await machine.end(process)
      process = await machine.run()
      clock.step(-days * dayMs)
      await clock.advanceAsync(2000)
      await machine.put(process.store, [machine.timed('c', clock.now() + 10_000)])
      await clock.advanceAsync(15_000)
      assert.deepEqual(machine.bodies(process.store), ['a', 'b', 'c'])
    })

  for (const days of [3, 14, 400])
    test(`by ${days} days when a timer was sent, whose files are lost, holds up none of the others`, async () => {
      const machine = new TimerMachine()
      const { clock } = machine
      let process = await machine.run()
      clock.step(days * dayMs)
      await clock.advanceAsync(10_000)
      await machine.put(process.store, [machine.timed('far', clock.now() + 60_000)])
      await clock.advanceAsync(2000)
      clock.step(-days * dayMs)
      await clock.advanceAsync(2000)
      await machine.put(process.store, [machine.timed('c', clock.now() + 10_000)])
      await clock.advanceAsync(2000)
      await machine.end(process)
      machine.disk.remove('/store/timerwheel')
      process = await machine.run()
      await clock.advanceAsync(15_000)
      assert.deepEqual(machine.bodies(process.store), ['c'])
      assert.equal(process.timers.behind, 0)
    })

  for (const days of [7, 14, 28])
    test(`by ${days} days when a timer was sent loses it to none that is sent later`, async () => {
      const machine = new TimerMachine()
      const { clock } = machine
      const process = await machine.run()
      const now = clock.now()
      clock.step(days * dayMs)
      await clock.advanceAsync(10_000)
      await machine.put(process.store, [machine.timed('far', now + days * dayMs + 60_000)])
      await clock.advanceAsync(2000)
      clock.step(-days * dayMs)
      await clock.advanceAsync(2000)
      await machine.put(process.store, [machine.timed('c', now + 60_000)])
      await clock.advanceAsync(70_000)
      assert.deepEqual(machine.bodies(process.store), ['c'])
      clock.step(days * dayMs)
      await clock.advanceAsync(10_000)
      assert.deepEqual(machine.bodies(process.store), ['c', 'far'])
    })
})
