import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { wheelTimerTopic } from '@skua-mq/protocol'
import { TimerMachine, type TimerProcess } from './timer-machine.ts'

/** Puts messages into the timer's topic and stops: a next process reads them from the disk. Returns where the `nth` lies in the log. */
async function stored(machine: TimerMachine, messages: ReturnType<TimerMachine['timed']>[], nth: number) {
  const first = await machine.run()
  await machine.put(first.store, messages)
  await machine.clock.advanceAsync(2000)
  const places = machine.read(first.store, wheelTimerTopic).map(({ physicalOffset }) => physicalOffset)
  await machine.end(first)
  return [places[nth]!, places[nth + 1] ?? places[nth]! + 100] as const
}

const unreadable = (machine: TimerMachine, place: readonly [number, number]) =>
  machine.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog', place })
const named = (machine: TimerMachine, name: string) => machine.events.filter(event => event.name === name)

describe('a timed message that the disk does not give', () => {
  test('holds up neither its slot nor those behind, is told of once, and comes when the disk gives it', async () => {
    const machine = new TimerMachine()
    const at = machine.clock.now() + 20_000
    const sent = ['a', 'bad', 'c', 'd'].map((body, n) => machine.timed(body, at + n * 400))
    const place = await stored(machine, sent, 1)
    const lift = unreadable(machine, place)
    let process = await machine.run()
    await machine.put(process.store, [machine.timed('later', at + 10_000)])
    await machine.clock.advanceAsync(40_000)
    assert.deepEqual(machine.bodies(process.store), ['a', 'c', 'd', 'later'])
    await machine.end(process)
    process = await machine.run()
    await machine.clock.advanceAsync(1_000_000)
    assert.equal(named(machine, 'timed message cannot be read').length, 1)
    assert.deepEqual(named(machine, 'delivery of timed messages paused'), [])
    lift()
    await machine.clock.advanceAsync(600_000)
    assert.deepEqual(machine.bodies(process.store), ['a', 'c', 'd', 'later', 'bad'])
    assert.equal(process.timers.book.size, 0)
  })

  test('counts as not delivered for a minute', async () => {
    const machine = new TimerMachine()
    const at = machine.clock.now() + 20_000
    const place = await stored(machine, [machine.timed('a', at), machine.timed('bad', at)], 1)
    unreadable(machine, place)
    const { timers } = await machine.run()
    await machine.clock.advanceAsync(30_000)
    assert.equal(timers.book.checkpoint?.masterQueueOffset, 1)
    await machine.clock.advanceAsync(70_000)
    assert.equal(timers.book.checkpoint?.masterQueueOffset, 2)
  })

  test('keeps no broker from its start after a kill', async () => {
    const machine = new TimerMachine({ flushDiskType: 'SYNC_FLUSH' })
    machine.settings = { ...machine.settings, flushMs: 1e9 }
    const first = await machine.run()
    const at = machine.clock.now() + 20_000
    await machine.put(first.store, [machine.timed('zero', at - 15_000)])
    await machine.clock.advanceAsync(100)
    await machine.clock.until(first.timers.book.save())
    await machine.put(
      first.store,
      ['a', 'bad', 'c'].map(body => machine.timed(body, at)),
    )
    await machine.clock.advanceAsync(2000)
    const places = machine.read(first.store, wheelTimerTopic).map(({ physicalOffset }) => physicalOffset)
    machine.kill()
    unreadable(machine, [places[2]!, places[3]!])
    const process = await machine.run({ flushMs: 1000 })
    await machine.clock.advanceAsync(40_000)
    assert.deepEqual(machine.bodies(process.store), ['zero', 'a', 'c'])
  })

  test('keeps nothing from being taken up, and comes at its time once the disk gives it', async () => {
    const machine = new TimerMachine()
    let isIntakeStopped = true
    machine.settings = { ...machine.settings, isIntakeStopped: () => isIntakeStopped }
    const at = machine.clock.now() + 40_000
    const sent = [machine.timed('a', at), machine.timed('bad', at + 600_000), machine.timed('c', at + 100)]
    const place = await stored(machine, sent, 1)
    const lift = unreadable(machine, place)
    isIntakeStopped = false
    const process: TimerProcess = await machine.run()
    await machine.clock.advanceAsync(at + 5000 - machine.clock.now())
    assert.deepEqual(machine.bodies(process.store), ['a', 'c'])
    assert.equal(named(machine, 'timers are not taken up').length, 1)
    lift()
    await machine.clock.advanceAsync(at + 600_000 - 1 - machine.clock.now())
    assert.deepEqual(machine.bodies(process.store), ['a', 'c'])
    await machine.clock.advanceAsync(1)
    assert.deepEqual(machine.bodies(process.store), ['a', 'c', 'bad'])
  })

  test('that is a recall recalls when it can be read in time, and else holds up nobody', async () => {
    for (const isLifted of [true, false]) {
      const machine = new TimerMachine()
      const at = machine.clock.now() + 20_500
      const sent = [machine.timed('a', at), machine.timed('b', at), machine.recall('a', at)]
      const place = await stored(machine, sent, 2)
      const lift = unreadable(machine, place)
      const { store } = await machine.run()
      await machine.clock.advanceAsync(at - 700 - machine.clock.now())
      if (isLifted) lift()
      await machine.put(store, [machine.timed('later', at + 5000)])
      await machine.clock.advanceAsync(10_000)
      assert.deepEqual(machine.bodies(store), isLifted ? ['b', 'later'] : ['a', 'b', 'later'])
    }
  })
})

describe('where the disk gives nothing, as for lack of descriptors', () => {
  const short = (machine: TimerMachine) => machine.disk.faults.fail({ on: 'read', code: 'EMFILE', path: 'commitlog' })

  test('timed messages wait for it, and for nothing else', async () => {
    const machine = new TimerMachine()
    const at = machine.clock.now() + 20_000
    await stored(
      machine,
      ['a', 'b', 'c'].map((body, n) => machine.timed(body, at + n * 400)),
      0,
    )
    const { store } = await machine.run()
    const lift = short(machine)
    await machine.clock.advanceAsync(30_000)
    assert.deepEqual(machine.bodies(store), [])
    lift()
    await machine.clock.advanceAsync(2000)
    assert.deepEqual(machine.bodies(store), ['a', 'b', 'c'])
    assert.deepEqual(named(machine, 'timed message cannot be read'), [])
    assert.equal(named(machine, 'delivery of timed messages paused').length, 1)
  })

  test('nothing is taken up until it does, and nothing is stored anew', async () => {
    const machine = new TimerMachine()
    let isIntakeStopped = true
    machine.settings = { ...machine.settings, isIntakeStopped: () => isIntakeStopped }
    const at = machine.clock.now() + 20_000
    await stored(
      machine,
      ['a', 'b', 'c'].map((body, n) => machine.timed(body, at + n * 400)),
      0,
    )
    const { store } = await machine.run()
    const lift = short(machine)
    isIntakeStopped = false
    await machine.clock.advanceAsync(30_000)
    lift()
    await machine.clock.advanceAsync(2000)
    assert.deepEqual(machine.bodies(store), ['a', 'b', 'c'])
    assert.deepEqual(named(machine, 'a message of the timer topic cannot be read'), [])
    assert.equal(store.maxOffset(wheelTimerTopic, 0), 3)
  })
})
