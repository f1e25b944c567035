import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TimerLogReader } from '@skua-mq/store'
import { bodyOf, TimerMachine } from './timer-machine.ts'

const madeAgain = (machine: TimerMachine) =>
  machine.events.filter(({ name }) => name === 'timer files are made again from the timer topic')
const second = (machine: TimerMachine, inMs: number) => Math.ceil((machine.clock.now() + inMs) / 1000) * 1000

describe('a timer log', () => {
  test('in which a chain is broken is made again, and nothing is lost or comes twice', async () => {
    const machine = new TimerMachine()
    const { store, timers } = await machine.run()
    const at = second(machine, 40_000)
    // In two slots, and one before them that is delivered when it happens.
    const sent = [0, 1, 2, 3].flatMap(n => [machine.timed(`a${n}`, at + n), machine.timed(`b${n}`, at + 5000 + n)])
    await machine.put(store, [machine.timed('early', at - 20_000), ...sent])
    await machine.clock.advanceAsync(25_000)
    const file = machine.disk.open('/store/timerlog/00000000000000000000', 'write')
    file.writeSync(Buffer.alloc(52, 0xff), 0, 52, 52 * 4)
    file.closeSync()
    await machine.clock.advanceAsync(60_000)
    assert.deepEqual(machine.bodies(store).sort(), ['early', ...sent.map(({ body }) => body)].sort())
    assert.equal(madeAgain(machine).length, 1)
    await machine.put(store, [machine.timed('later', machine.clock.now() + 5000)])
    await machine.clock.advanceAsync(10_000)
    assert.equal(machine.bodies(store).at(-1), 'later')
    assert.equal(timers.book.size, 0)
  })

  test('that fails for a moment is not made again', async () => {
    const machine = new TimerMachine()
    const { store } = await machine.run()
    const at = second(machine, 40_000)
    await machine.put(store, [machine.timed('a', at)])
    machine.disk.faults.fail({ on: 'read', code: 'EIO', path: 'timerlog', times: 3 })
    await machine.clock.advanceAsync(60_000)
    assert.deepEqual(machine.bodies(store), ['a'])
    assert.deepEqual(madeAgain(machine), [])
    assert.equal(machine.events.filter(({ name }) => name === 'a slot of timers does not read').length, 1)
  })

  test('that stays bad wherever it lies is tried less and less often, told once, and all comes when it is good', async () => {
    const machine = new TimerMachine()
    const { store } = await machine.run()
    const at = second(machine, 40_000)
    await machine.put(store, [machine.timed('a', at), machine.timed('b', at + 3_600_000)])
    let reads = 0
    const lift = machine.disk.faults.fail({ on: 'read', code: 'EIO', path: 'timerlog' })
    const codeFor = machine.disk.faults.codeFor.bind(machine.disk.faults)
    machine.disk.faults.codeFor = (on, path, bytes) => {
      if (on === 'read' && path.includes('timerlog')) reads++
      return codeFor(on, path, bytes)
    }
    await machine.clock.advanceAsync(3_000_000)
    assert.ok(reads < 400, `${reads} reads in 50 minutes`)
    assert.ok(madeAgain(machine).length <= 5, `${madeAgain(machine).length} times`)
    const told = machine.events.filter(({ name }) => name === 'a slot of timers does not read')
    assert.ok(told.length <= 6, `told ${told.length} times`)
    lift()
    await machine.clock.advanceAsync(1_000_000)
    assert.deepEqual(machine.bodies(store), ['a', 'b'])
  })

  test('is made again at a stop that comes in the middle, or by the next start', async () => {
    const machine = new TimerMachine()
    const process = await machine.run()
    const at = second(machine, 20_000)
    await machine.put(process.store, [machine.timed('a', at), machine.timed('b', at + 60_000)])
    await machine.clock.advanceAsync(15_000)
    const lift = machine.disk.faults.fail({ on: 'read', code: 'EIO', path: 'timerlog' })
    machine.disk.faults.slow({ on: 'sync', ms: 3000 })
    while (madeAgain(machine).length === 0 && machine.clock.now() < at + 20_000) await machine.clock.advanceAsync(500)
    await machine.end(process)
    machine.disk.faults.clear()
    lift()
    const next = await machine.run()
    await machine.clock.advanceAsync(80_000)
    assert.deepEqual(machine.bodies(next.store), ['a', 'b'])
  })
})

test('a stop in a huge slot has no more of its units in memory than a piece', async () => {
  const machine = new TimerMachine()
  const process = await machine.run({ scheduledAtOnce: 100 })
  const { store, timers } = process
  const at = second(machine, 20_000)
  const sent = Array.from({ length: 2000 }, (_, n) => machine.timed(String(n), at + (n === 0 ? 100 : 900)))
  await machine.put(store, sent)
  await machine.clock.advanceAsync(at + 500 - machine.clock.now())
  assert.deepEqual(machine.bodies(store), ['0'])
  let [held, most] = [0, 0]
  const reader = timers.book.reader.bind(timers.book)
  const add = timers.book.add.bind(timers.book)
  timers.book.reader = () => {
    const units: TimerLogReader = reader()
    const unitNow = units.unitNow.bind(units)
    units.unitNow = position => {
      const unit = unitNow(position)
      if (unit !== undefined) most = Math.max(most, ++held)
      return unit
    }
    return units
  }
  timers.book.add = unit => {
    held = Math.max(0, held - 1)
    return add(unit)
  }
  await machine.end(process)
  assert.ok(most > 0 && most <= 210, `${most} units at once`)
  const next = await machine.run()
  assert.equal(next.timers.book.size, 1999)
  await machine.clock.advanceAsync(20_000)
  assert.deepEqual(
    machine
      .read(next.store, 'T')
      .map(bodyOf)
      .map(Number)
      .sort((a, b) => a - b),
    [...sent.keys()],
  )
})

test('timers that wait are counted rightly where one could not be read when it was taken up', async () => {
  const machine = new TimerMachine()
  let isIntakeStopped = true
  machine.settings = { ...machine.settings, isIntakeStopped: () => isIntakeStopped }
  const at = machine.clock.now() + 200_000
  const first = await machine.run()
  await machine.put(first.store, [machine.timed('a', at), machine.timed('bad', at), machine.timed('c', at)])
  await machine.clock.advanceAsync(2000)
  const [, bad, after] = machine.read(first.store, 'rmq_sys_wheel_timer').map(each => each.physicalOffset)
  await machine.end(first)
  const lift = machine.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog', place: [bad!, after!] })
  isIntakeStopped = false
  const { counts, store } = await machine.run()
  await machine.clock.advanceAsync(10_000)
  assert.equal(counts.of('T'), 2)
  lift()
  await machine.clock.advanceAsync(100_000)
  assert.equal(counts.of('T'), 3)
  await machine.clock.advanceAsync(200_000)
  assert.deepEqual(machine.bodies(store).sort(), ['a', 'bad', 'c'])
  assert.equal(counts.of('T'), 0)
})

test('a power cut while a stop puts a huge slot behind, piece by piece, loses none of it', async () => {
  for (const afterMs of [1200, 2500, 4000]) {
    const machine = new TimerMachine({ flushDiskType: 'SYNC_FLUSH' })
    const { store, timers } = await machine.run({ scheduledAtOnce: 100 })
    const at = second(machine, 20_000)
    const sent = Array.from({ length: 1000 }, (_, n) => machine.timed(String(n), at + (n === 0 ? 100 : 900)))
    await machine.put(store, sent)
    await machine.clock.advanceAsync(at + 500 - machine.clock.now())
    assert.deepEqual(machine.bodies(store), ['0'])
    machine.disk.faults.slow({ on: 'read', ms: 500, path: 'timerlog' })
    const stopping = timers.stop().catch(() => {})
    await machine.clock.advanceAsync(afterMs)
    machine.powerCut()
    void stopping
    machine.disk.faults.clear()
    const next = await machine.run()
    await machine.clock.advanceAsync(20_000)
    const came = new Set(machine.bodies(next.store))
    assert.deepEqual(sent.filter(({ body }) => !came.has(body)).length, 0, `${afterMs}`)
  }
})

test('a timerwheel that came back as zeros is made again: also timers that were due meanwhile come, once', async () => {
  const machine = new TimerMachine()
  const process = await machine.run()
  const at = second(machine, 20_000)
  await machine.put(process.store, [
    machine.timed('done', at - 15_000),
    machine.timed('due', at),
    machine.timed('later', at + 60_000),
  ])
  await machine.clock.advanceAsync(10_000)
  await machine.end(process)
  const path = '/store/timerwheel'
  const { size } = machine.disk.stat(path)!
  const file = machine.disk.open(path, 'write')
  file.truncateSync(0)
  file.truncateSync(size)
  file.closeSync()
  await machine.clock.advanceAsync(30_000)
  const next = await machine.run()
  await machine.clock.advanceAsync(80_000)
  assert.deepEqual(machine.bodies(next.store), ['done', 'due', 'later'])
  assert.equal(madeAgain(machine).length, 1)
  // One that has none waiting is as it was.
  await machine.end(next)
  await machine.end(await machine.run())
  assert.equal(madeAgain(machine).length, 1)
})
