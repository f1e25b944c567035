import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { wheelTimerTopic } from '@skua-mq/protocol'
import { TimerLog } from '@skua-mq/store'
import { bodyOf, TimerMachine } from './timer-machine.ts'

const secondMs = 1000
const hourMs = 3_600_000
const dayMs = 24 * hourMs

describe('a message with a time of delivery', () => {
  test('comes at its millisecond, not before', async () => {
    const machine = new TimerMachine()
    const { store, late } = await machine.run()
    const now = machine.clock.now()
    await machine.put(store, [machine.timed('a', now + 5300), machine.timed('b', now + 5301)])
    await machine.clock.advanceAsync(5299)
    assert.deepEqual(machine.bodies(store), [])
    await machine.clock.advanceAsync(1)
    assert.deepEqual(machine.bodies(store), ['a'])
    await machine.clock.advanceAsync(1)
    assert.deepEqual(machine.bodies(store), ['a', 'b'])
    assert.deepEqual(late, [0, 0])
  })

  test('keeps what it was sent with, and says when it waited', async () => {
    const machine = new TimerMachine()
    const { store } = await machine.run()
    const now = machine.clock.now()
    await machine.put(store, [machine.timed('a', now + 5000, { TAGS: 'A' })])
    const [before] = machine.read(store, wheelTimerTopic)
    await machine.clock.advanceAsync(5001)
    const [got] = machine.read(store, 'T')
    const { TIMER_ENQUEUE_MS, TIMER_DEQUEUE_MS, ...rest } = Object.fromEntries(got!.properties)
    assert.deepEqual(rest, Object.fromEntries(before!.properties))
    assert.equal(Number(TIMER_ENQUEUE_MS), Math.floor(now / 1000) * 1000)
    assert.equal(Number(TIMER_DEQUEUE_MS), now + 5000)
    for (const field of ['bornTimestamp', 'bornHost', 'flag', 'sysFlag', 'reconsumeTimes', 'bodyCrc'] as const)
      assert.deepEqual(got![field], before![field], field)
  })

  test('comes within the very slot in which it was sent', async () => {
    const machine = new TimerMachine()
    const { store, late } = await machine.run()
    await machine.clock.advanceAsync(1000 - (machine.clock.now() % 1000) + 100)
    await machine.put(store, [machine.timed('a', machine.clock.now() + 300)])
    await machine.clock.advanceAsync(100)
    await machine.put(store, [machine.timed('b', machine.clock.now() + 100)])
    await machine.clock.advanceAsync(100)
    assert.deepEqual(machine.bodies(store), ['b'])
    await machine.clock.advanceAsync(100)
    assert.deepEqual(machine.bodies(store), ['b', 'a'])
    assert.deepEqual(late, [0, 0])
  })

  test('that waits longer than the window is stored again on the way, and comes once, at its time', async () => {
    const machine = new TimerMachine()
    const { store, late, counts } = await machine.run({ windowMs: () => hourMs })
    const at = machine.clock.now() + 5 * hourMs + 1234
    await machine.put(store, [machine.timed('far', at)])
    await machine.clock.advanceAsync(5 * hourMs + 1233)
    assert.deepEqual(machine.bodies(store), [])
    assert.equal(counts.of('T'), 1)
    await machine.clock.advanceAsync(1)
    const [got] = machine.read(store, 'T')
    assert.deepEqual(machine.bodies(store), ['far'])
    assert.equal(got!.properties.get('TIMER_ROLL_TIMES'), '5')
    assert.equal(got!.properties.get('TIMER_OUT_MS'), String(Math.ceil(at / 1000 - 1) * 1000))
    assert.equal(store.maxOffset(wheelTimerTopic, 0), 6)
    assert.deepEqual([late, counts.of('T')], [[0], 0])
  })

  test('that is recalled does not come, one with another key does, and the counts agree', async () => {
    const machine = new TimerMachine()
    const { store, counts, timers } = await machine.run()
    const at = machine.clock.now() + 10 * secondMs
    await machine.put(store, [machine.timed('a', at), machine.timed('b', at), machine.timed('c', at)])
    await machine.put(store, [machine.recall('b', at), machine.recall('nobody', at)])
    assert.equal(counts.of('T'), 1)
    await machine.clock.advanceAsync(12 * secondMs)
    assert.deepEqual(machine.bodies(store), ['a', 'c'])
    assert.deepEqual([counts.of('T'), timers.book.size], [0, 0])
  })

  test('that is recalled a moment before its slot begins, while others are taken up, does not come', async () => {
    const machine = new TimerMachine()
    const { store } = await machine.run()
    const at = Math.ceil(machine.clock.now() / 1000) * 1000 + 20_001
    await machine.put(store, [machine.timed('a', at)])
    await machine.clock.advanceAsync(at - 1 - machine.clock.now())
    const many = Array.from({ length: 2000 }, (_, n) => machine.timed(`m${n}`, at + hourMs))
    await machine.put(store, [...many, machine.recall('a', at)])
    await machine.clock.advanceAsync(2000)
    assert.deepEqual(machine.bodies(store), [])
  })

  test('that cannot be read in the log any more is told of, and holds up nobody', async () => {
    const machine = new TimerMachine({ mappedFileSizeCommitLog: 64 * 1024, fileReservedTime: 1 })
    const process = await machine.run({ windowMs: () => 7 * dayMs })
    const at = machine.clock.now() + 3 * hourMs
    await machine.put(process.store, [machine.timed('lost', at), machine.timed('long', at + dayMs)])
    for (let n = 0; n < 4; n++) await machine.put(process.store, [{ topic: 'U', body: 'x'.repeat(40_000) }])
    await machine.clock.advanceAsync(2 * hourMs)
    // Retention would leave it otherwise.
    machine.disk.faults.bytesUntilFull = 100_000
    await machine.clock.advanceAsync(60_000)
    machine.disk.faults.bytesUntilFull = Number.POSITIVE_INFINITY
    await machine.clock.advanceAsync(60_000)
    await machine.put(process.store, [machine.timed('here', at)])
    await machine.clock.advanceAsync(hourMs)
    assert.deepEqual(machine.bodies(process.store), ['here'])
    assert.equal(machine.events.filter(({ name }) => name === 'timer lost').length, 1)
  })
})

describe('a restart', () => {
  test('that is clean loses no timer and delivers none twice, also in the middle of a slot', async () => {
    const machine = new TimerMachine()
    const begin = Math.ceil(machine.clock.now() / 1000) * 1000
    let process = await machine.run()
    const sent = Array.from({ length: 60 }, (_, n) => ({ body: `m${n}`, at: begin + 2000 + n * 97 }))
    await machine.put(
      process.store,
      sent.map(({ body, at }) => machine.timed(body, at)),
    )
    for (let stops = 0; stops < 9; stops++) {
      await machine.clock.advanceAsync(913)
      await machine.end(process)
      process = await machine.run()
    }
    await machine.clock.advanceAsync(10_000)
    assert.deepEqual(
      machine.bodies(process.store),
      sent.map(({ body }) => body),
    )
    assert.equal(process.timers.book.size, 0)
  })

  test('that is clean leaves a timer log whose last unit is of the newest message, from where RocketMQ goes on', async () => {
    const machine = new TimerMachine()
    const begin = Math.ceil(machine.clock.now() / 1000) * 1000
    let process = await machine.run({ fileBytes: 52 * 8 + 16 })
    const sent = Array.from({ length: 40 }, (_, n) => ({ body: `m${n}`, at: begin + 2000 + n * 97 }))
    await machine.put(process.store, [
      ...sent.map(({ body, at }) => machine.timed(body, at)),
      machine.timed('late', begin + 60_000),
      machine.recall('late', begin + 60_000),
    ])
    const [newest] = machine.read(process.store, wheelTimerTopic).slice(-1)
    for (let stops = 0; stops < 4; stops++) {
      await machine.clock.advanceAsync(stops === 0 ? 2913 : 913)
      await machine.clock.until(process.timers.stop())
      const log = new TimerLog({ disk: process.runtime.disk, directory: '/store/timerlog', fileBytes: 52 * 8 + 16 })
      log.load()
      log.truncate(process.timers.book.checkpoint!.logFlushed)
      const last = await machine.clock.until(log.reader().unit(log.lastPosition!))
      log.close()
      assert.equal(last?.physicalOffset, newest!.physicalOffset)
      await machine.end(process)
      process = await machine.run()
    }
    await machine.clock.advanceAsync(70_000)
    assert.deepEqual(
      machine.bodies(process.store),
      sent.map(({ body }) => body),
    )
    assert.equal(process.timers.book.size, 0)
    assert.equal(process.counts.of('T'), 0)
  })

  test('that is clean keeps recalls', async () => {
    const machine = new TimerMachine()
    let process = await machine.run()
    const at = Math.ceil(machine.clock.now() / 1000) * 1000 + 10_500
    await machine.put(process.store, [
      machine.timed('a', at - 300),
      machine.timed('b', at),
      machine.timed('c', at + 300),
    ])
    await machine.put(process.store, [machine.recall('c', at + 300)])
    await machine.clock.advanceAsync(at - machine.clock.now() - 100)
    assert.deepEqual(machine.bodies(process.store), ['a'])
    await machine.end(process)
    process = await machine.run()
    await machine.clock.advanceAsync(5000)
    assert.deepEqual(machine.bodies(process.store), ['a', 'b'])
  })

  test('after three weeks delivers all that was due, in their order', async () => {
    const machine = new TimerMachine()
    let process = await machine.run()
    const now = machine.clock.now()
    const messages = Array.from({ length: 40 }, (_, n) => machine.timed(`m${n}`, now + (40 - n) * hourMs))
    await machine.put(process.store, messages)
    await machine.end(process)
    machine.clock.step(21 * dayMs)
    process = await machine.run()
    await machine.clock.advanceAsync(30_000)
    assert.deepEqual(
      machine.bodies(process.store),
      Array.from({ length: 40 }, (_, n) => `m${39 - n}`),
    )
  })
})

describe('a wall clock', () => {
  test('that is set forward makes due what is due by it', async () => {
    const machine = new TimerMachine()
    const { store } = await machine.run()
    await machine.put(store, [machine.timed('a', machine.clock.now() + hourMs)])
    await machine.clock.advanceAsync(3000)
    machine.clock.step(hourMs)
    await machine.clock.advanceAsync(2000)
    assert.deepEqual(machine.bodies(store), ['a'])
  })

  test('that is set back makes nothing early and nothing twice, and new timers go by it', async () => {
    const machine = new TimerMachine()
    const { store, late } = await machine.run()
    await machine.put(store, [machine.timed('a', machine.clock.now() + 10_000)])
    await machine.clock.advanceAsync(hourMs)
    await machine.put(store, [machine.timed('b', machine.clock.now() + 60_000)])
    await machine.clock.advanceAsync(1000)
    machine.clock.step(-hourMs / 2)
    await machine.clock.advanceAsync(2000)
    const now = machine.clock.now()
    await machine.put(store, [machine.timed('c', now + 30_000)])
    await machine.clock.advanceAsync(29_999)
    assert.deepEqual(machine.bodies(store), ['a'])
    await machine.clock.advanceAsync(1)
    assert.deepEqual(machine.bodies(store), ['a', 'c'])
    await machine.clock.advanceAsync(hourMs)
    assert.deepEqual(machine.bodies(store), ['a', 'c', 'b'])
    assert.deepEqual(late, [0, 0, 0])
  })
})

describe('a wall clock that is set back while a slot is being delivered', () => {
  test('makes no new timer late or early, and what is left of the slot comes', async () => {
    const machine = new TimerMachine()
    const { store } = await machine.run()
    const at = Math.ceil(machine.clock.now() / 1000) * 1000 + 10_000
    await machine.put(store, [machine.timed('a', at + 100), machine.timed('b', at + 900)])
    await machine.clock.advanceAsync(at + 300 - machine.clock.now())
    assert.deepEqual(machine.bodies(store), ['a'])
    machine.clock.step(-hourMs)
    const now = machine.clock.now()
    await machine.put(store, [machine.timed('soon', now + 5000), machine.timed('late', now + 600_000)])
    await machine.clock.advanceAsync(4999)
    assert.deepEqual(machine.bodies(store), ['a', 'b'])
    await machine.clock.advanceAsync(1)
    assert.deepEqual(machine.bodies(store), ['a', 'b', 'soon'])
    await machine.clock.advanceAsync(600_000 - 5001)
    assert.deepEqual(machine.bodies(store), ['a', 'b', 'soon'])
    await machine.clock.advanceAsync(1)
    assert.deepEqual(machine.bodies(store), ['a', 'b', 'soon', 'late'])
    await machine.clock.advanceAsync(2 * hourMs)
    assert.deepEqual(machine.bodies(store), ['a', 'b', 'soon', 'late'])
  })
})

test('a clock that is behind after a restart makes no new timer late', async () => {
  const machine = new TimerMachine()
  let process = await machine.run()
  await machine.put(process.store, [machine.timed('a', machine.clock.now() + 2000)])
  await machine.clock.advanceAsync(hourMs)
  await machine.end(process)
  machine.clock.step(-hourMs / 2)
  process = await machine.run()
  await machine.put(process.store, [machine.timed('b', machine.clock.now() + 5000)])
  await machine.clock.advanceAsync(5001)
  assert.deepEqual(machine.bodies(process.store), ['a', 'b'])
})

test('messages that were stored and not taken up before a pause of months come after it', async () => {
  const machine = new TimerMachine()
  let isStopped = true
  const settings = { isIntakeStopped: () => isStopped }
  let process = await machine.run(settings)
  await machine.put(process.store, [machine.timed('a', machine.clock.now() + 2000)])
  isStopped = false
  await machine.clock.advanceAsync(3000)
  isStopped = true
  await machine.put(process.store, [machine.timed('b', machine.clock.now() + 5000)])
  await machine.clock.advanceAsync(2000)
  await machine.end(process)
  machine.clock.step(90 * dayMs)
  isStopped = false
  process = await machine.run(settings)
  await machine.clock.advanceAsync(60_000)
  assert.deepEqual(machine.bodies(process.store), ['a', 'b'])
})

test('a timer for the year 2100 is taken, and is there after each roll', async () => {
  const machine = new TimerMachine()
  const { store, timers } = await machine.run()
  await machine.put(store, [machine.timed('far', Date.UTC(2100, 0, 1))])
  for (let rolls = 1; rolls <= 3; rolls++) {
    machine.clock.step(2 * dayMs)
    await machine.clock.advanceAsync(3000)
    assert.equal(store.maxOffset(wheelTimerTopic, 0), 1 + rolls)
  }
  assert.deepEqual([machine.bodies(store), timers.book.size], [[], 1])
})

test('more timers in one slot than are held at once come in their order', async () => {
  const machine = new TimerMachine({ mappedFileSizeCommitLog: 64 * 1024 * 1024, maxDirtyBytes: 1e9 })
  const { store, timers } = await machine.run()
  const at = Math.ceil(machine.clock.now() / 1000) * 1000 + 100_000
  const count = 70_000
  for (let n = 0; n < count; n += 10_000) {
    await machine.put(
      store,
      Array.from({ length: 10_000 }, (_, m) => machine.timed(String(n + m), at)),
    )
    await machine.clock.advanceAsync(1000)
  }
  assert.equal(timers.book.size, count)
  await machine.clock.advanceAsync(at - machine.clock.now() - 1)
  assert.equal(store.maxOffset('T', 0), 0)
  await machine.clock.advanceAsync(20_000)
  const got = machine.read(store, 'T')
  assert.equal(got.length, count)
  got.forEach((message, n) => {
    if (bodyOf(message) !== String(n)) assert.fail(`${bodyOf(message)} at ${n}`)
  })
})
