import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimerMachine } from './timer-machine.ts'

const dayMs = 86_400_000
const fileBytes = 52 * 6 + 20
const names = (machine: TimerMachine) => machine.disk.list('/store/timerlog')

test('a power cut while the timer files are made again, which brings back some of the former ones, loses no timer', async () => {
  for (let seed = 1; seed <= 24; seed++) {
    const machine = new TimerMachine({ flushDiskType: 'SYNC_FLUSH' }, seed)
    const first = await machine.run({ fileBytes })
    const at = machine.clock.now() + 60_000
    const bodies = Array.from({ length: 20 }, (_, n) => String(n))
    // Timers of another life of the files come first there.
    await machine.put(
      first.store,
      bodies.slice(0, 9).map(body => machine.timed(body, at)),
    )
    await machine.clock.advanceAsync(3000)
    await machine.put(
      first.store,
      bodies.slice(9).map(body => machine.timed(body, at)),
    )
    await machine.clock.advanceAsync(3000)
    await machine.end(first)
    // The units of the first two of the topic are gone from the beginning, and so is the end.
    const file = machine.disk.open('/store/timerlog/00000000000000000000', 'write')
    file.writeSync(machine.disk.readFile('/store/timerlog/00000000000000000332'), 0, 52 * 2, 0)
    file.syncDataSync()
    file.closeSync()
    machine.disk.remove(`/store/timerlog/${names(machine).at(-1)}`)
    machine.disk.syncDirectory('/store/timerlog')
    await machine.run()
    await machine.clock.advanceAsync(100)
    machine.powerCut()
    const { store } = await machine.run()
    await machine.clock.advanceAsync(90_000)
    const came = new Set(machine.bodies(store))
    assert.deepEqual(
      bodies.filter(body => !came.has(body)),
      [],
      `seed ${seed}`,
    )
  }
})

test('a slot that a clock set back by weeks moves, and of which the timer log has lost some, is made again', async () => {
  const machine = new TimerMachine()
  machine.clock.step(30 * dayMs)
  const { store } = await machine.run({ fileBytes })
  const at = Math.ceil(machine.clock.now() / 1000) * 1000 + 40_000
  await machine.put(
    store,
    [0, 1, 2, 3].map(n => machine.timed(String(n), at + n)),
  )
  await machine.clock.advanceAsync(2000)
  const file = machine.disk.open('/store/timerlog/00000000000000000000', 'write')
  file.writeSync(Buffer.alloc(52), 0, 52, 52)
  file.closeSync()
  machine.clock.step(-20 * dayMs)
  await machine.clock.advanceAsync(60_000)
  machine.clock.step(25 * dayMs)
  await machine.clock.advanceAsync(200_000)
  assert.deepEqual(machine.bodies(store).sort(), ['0', '1', '2', '3'])
})
