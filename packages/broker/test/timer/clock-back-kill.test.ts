import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimerMachine } from './timer-machine.ts'

for (const end of ['kill', 'power cut'] as const)
  test(`a ${end} right after the clock was set back loses no timer that came meanwhile, and brings none again`, async () => {
    const machine = new TimerMachine({ flushDiskType: 'SYNC_FLUSH' })
    const { store, timers } = await machine.run()
    const beforeMs = machine.clock.now()
    await machine.put(store, [machine.timed('done', beforeMs + 2000), machine.timed('far', beforeMs + 600_000)])
    await machine.clock.advanceAsync(10_000)
    const known = timers.book.checkpoint
    machine.clock.step(-3_600_000)
    // The slots have followed, and the check point has not.
    await machine.clock.advanceAsync(1)
    const now = machine.clock.now()
    await machine.put(store, [machine.timed('soon', now + 5000), machine.timed('later', now + 30_000)])
    await machine.clock.advanceAsync(120)
    assert.deepEqual([timers.book.checkpoint, timers.book.queueOffset], [known, 4])
    if (end === 'kill') machine.kill()
    else machine.powerCut()
    const next = await machine.run()
    await machine.clock.advanceAsync(60_000)
    assert.deepEqual(machine.bodies(next.store), ['done', 'soon', 'later'])
    assert.equal(next.timers.book.size, 1)
    await machine.clock.advanceAsync(4_300_000)
    assert.deepEqual(machine.bodies(next.store), ['done', 'soon', 'later', 'far'])
  })
