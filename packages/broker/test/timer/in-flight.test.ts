import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTimerUnit, timerUnitBytes, writeTimerUnit } from '@skua-mq/store'
import { maxTimersInFlight } from '../../src/timer/timer-delivery.ts'
import { TimerMachine } from './timer-machine.ts'

const second = (machine: TimerMachine, inMs: number) => Math.ceil((machine.clock.now() + inMs) / 1000) * 1000

test('no more timers are in flight than maxTimersInFlight, and what the store refuses keeps its place', async () => {
  const machine = new TimerMachine()
  const { store, timers } = await machine.run()
  const at = second(machine, 20_000)
  const bodies = Array.from({ length: 3000 }, (_, n) => String(n).padStart(4, '0'))
  await machine.put(
    store,
    bodies.map(body => machine.timed(body, at)),
  )
  await machine.clock.advanceAsync(at - 100 - machine.clock.now())
  const { size } = (await timers.book.reader().unit(0))!
  machine.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog' })
  await machine.clock.advanceAsync(3000)
  assert.equal(store.maxOffset('T', 0), 0)
  assert.ok(timers.bytesInFlight > size && timers.bytesInFlight <= maxTimersInFlight * size, `${timers.bytesInFlight}`)
  machine.disk.faults.clear()
  await machine.clock.advanceAsync(30_000)
  assert.deepEqual(machine.bodies(store), bodies)
  assert.equal(timers.bytesInFlight, 0)
})

test('a stop waits for what the store was given: a restart delivers none of it again', async () => {
  for (const stopsWith of [1, 500, 1000]) {
    const machine = new TimerMachine()
    const first = await machine.run()
    const at = second(machine, 5000)
    const bodies = Array.from({ length: 1000 }, (_, n) => String(n))
    await machine.put(
      first.store,
      bodies.map(body => machine.timed(body, at)),
    )
    // The stop comes in the very turn in which so many of them are handed over.
    const append = first.store.append.bind(first.store)
    let handed = 0
    let stopping: Promise<void> | undefined
    first.store.append = (draft, waiter) => {
      append(draft, waiter)
      if (++handed === stopsWith) stopping = first.timers.stop()
    }
    await machine.clock.advanceAsync(at + 1000 - machine.clock.now())
    await machine.clock.until(stopping!)
    await machine.clock.until(first.store.stop())
    machine.kill()
    const { store } = await machine.run()
    await machine.clock.advanceAsync(10_000)
    assert.deepEqual(machine.bodies(store).sort(), [...bodies].sort(), `stopped with ${stopsWith}`)
  }
})

test('a stop behind the last message of a slot and before its end has nothing delivered again', async () => {
  for (let stopAtMs = 150; stopAtMs < 1000; stopAtMs += 100) {
    const machine = new TimerMachine()
    const first = await machine.run({ flushMs: 250 })
    const at = second(machine, 5000)
    await machine.put(first.store, [machine.timed('once', at + 100)])
    await machine.clock.advanceAsync(at + stopAtMs - machine.clock.now())
    assert.deepEqual(machine.bodies(first.store), ['once'])
    await machine.end(first)
    const { store } = await machine.run()
    await machine.clock.advanceAsync(5000)
    assert.deepEqual(machine.bodies(store), ['once'], `stopped ${stopAtMs} ms behind the beginning of its second`)
  }
})

test('a recall that was sent before a slot begins counts, though it is taken up when the slot has begun', async () => {
  const machine = new TimerMachine()
  let isIntakeStopped = false
  const { store } = await machine.run({ isIntakeStopped: () => isIntakeStopped })
  const begin = second(machine, 5000)
  await machine.put(store, [machine.timed('recalled', begin + 1), machine.timed('other', begin + 2)])
  await machine.clock.advanceAsync(begin - 50 - machine.clock.now())
  isIntakeStopped = true
  await machine.put(store, [machine.recall('recalled', begin + 1)])
  await machine.clock.advanceAsync(150)
  assert.deepEqual(machine.bodies(store), [])
  isIntakeStopped = false
  await machine.clock.advanceAsync(5000)
  assert.deepEqual(machine.bodies(store), ['other'])
})

test('a unit whose message is another one is told of, and its own comes: the files are made again', async () => {
  const machine = new TimerMachine()
  const first = await machine.run()
  const at = second(machine, 20_000)
  await machine.put(first.store, [machine.timed('other', at), machine.timed('mine', at)])
  await machine.clock.advanceAsync(2000)
  await machine.end(first)
  const file = machine.disk.open('/store/timerlog/00000000000000000000', 'write')
  const bytes = Buffer.alloc(timerUnitBytes)
  file.readSync(bytes, 0, timerUnitBytes, 0)
  const unit = readTimerUnit(bytes, 0)!
  writeTimerUnit({ ...unit, size: unit.size + 1 }, bytes, 0)
  file.writeSync(bytes, 0, timerUnitBytes, 0)
  file.closeSync()
  const { store } = await machine.run()
  await machine.clock.advanceAsync(30_000)
  assert.deepEqual(machine.bodies(store), ['other', 'mine'])
  assert.ok(machine.events.some(({ name }) => name === 'timer files are made again from the timer topic'))
})

test('a recall takes back the message of its topic, not one of the same key in another', async () => {
  const machine = new TimerMachine()
  const { store } = await machine.run()
  const at = second(machine, 20_000)
  await machine.put(store, [machine.timed('a', at), machine.timed('a', at, {}, 'U'), machine.recall('a', at, 'U')])
  await machine.clock.advanceAsync(30_000)
  assert.deepEqual(machine.bodies(store), ['a'])
  assert.deepEqual(machine.bodies(store, 'U'), [])
})
