import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { maxChangedPages } from '@skua-mq/store'
import { TimerMachine } from './timer-machine.ts'

/** The time that one page of the wheel has. */
const pageMs = 128_000

describe('the check point of timers', () => {
  for (const path of ['commitlog', 'timerlog', 'timerwheel', 'timercheck'])
    test(`says nothing new while ${path} cannot be synced, and all of it afterwards`, async () => {
      const machine = new TimerMachine()
      const { store, timers } = await machine.run()
      const at = machine.clock.now() + 60_000
      await machine.put(store, [machine.timed('a', at)])
      await machine.clock.advanceAsync(3000)
      const { book } = timers
      assert.equal(book.checkpoint?.queueOffset, 1)
      const before = book.checkpoint
      const onDisk = () => machine.disk.readFile('/store/config/timercheck').toString('hex')
      const file = onDisk()
      machine.disk.faults.fail({ on: 'sync', code: 'EIO', path, times: 1 })
      await machine.put(store, [machine.timed('b', at)])
      assert.equal(book.queueOffset, 2)
      assert.equal(await machine.clock.until(book.save()), false)
      assert.deepEqual(book.checkpoint, before)
      if (path !== 'timercheck') assert.equal(onDisk(), file)
      // A log that could not be synced takes a moment until it is trusted again; nothing else has changed by then.
      let isSaved = false
      for (let tries = 0; tries < 20 && !isSaved; tries++) {
        isSaved = await machine.clock.until(book.save())
        if (!isSaved) await machine.clock.advanceAsync(100)
      }
      assert.equal(book.checkpoint?.queueOffset, 2)
      machine.kill()
      const again = await machine.run()
      assert.equal(again.timers.book.size, 2)
      await machine.clock.advanceAsync(61_000)
      assert.deepEqual(machine.bodies(again.store), ['a', 'b'])
    })

  test('waits where the wheel has no room for more changes: so do the timers that come, and none is lost', async () => {
    const machine = new TimerMachine()
    const { store, timers } = await machine.run({ windowMs: () => 6 * 86_400_000 })
    const at = machine.clock.now() + 60_000
    const timed = (_: unknown, n: number) => machine.timed(String(n), at + n * pageMs)
    machine.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'timerwheel' })
    const count = maxChangedPages + 600
    await machine.put(store, Array.from({ length: count }, timed))
    await machine.clock.advanceAsync(150)
    const taken = timers.book.queueOffset
    assert.ok(taken >= maxChangedPages && taken < count, `${taken}`)
    machine.disk.faults.clear()
    await machine.clock.advanceAsync(1500)
    assert.equal(timers.book.queueOffset, count)
    assert.equal(timers.book.size, count)
  })
})
