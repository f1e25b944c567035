import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { wheelTimerTopic } from '@skua-mq/protocol'
import { maxTimerBytesInFlight } from '../../src/timer/timer-delivery.ts'
import { TimerMachine } from './timer-machine.ts'

const secondMs = 1000

/** The beginning of a second from now on. */
const second = (machine: TimerMachine, inMs: number) => Math.ceil((machine.clock.now() + inMs) / 1000) * 1000

test('a timer that comes into a large slot while it is read is not lost', async () => {
  const machine = new TimerMachine()
  const { store } = await machine.run({ scheduledAtOnce: 100 })
  const at = second(machine, 20_000)
  const many = Array.from({ length: 250 }, (_, n) => machine.timed(String(n), at))
  await machine.put(store, many)
  machine.disk.faults.slow({ on: 'read', ms: 300, path: 'timerlog' })
  // The slot of `at` begins a second before, and is read then.
  await machine.clock.advanceAsync(at - 900 - machine.clock.now())
  await machine.put(store, [machine.timed('late', at)])
  await machine.clock.advanceAsync(20_000)
  // It may go before those of a piece that is read later.
  assert.deepEqual(machine.bodies(store).sort(), [...many.map(({ body }) => body), 'late'].sort())
})

describe('a timer log that cannot be written', () => {
  for (const [fileBytes, times] of [16, 20, 48].flatMap(left => [1, 3].map(n => [52 * 10 + left, n] as const)))
    test(`${times} times where a file of ${fileBytes} bytes ends takes up all once it can`, async () => {
      const machine = new TimerMachine()
      machine.settings = { ...machine.settings, fileBytes }
      const { store, timers } = await machine.run()
      const at = machine.clock.now() + 60_000
      await machine.put(
        store,
        Array.from({ length: 10 }, (_, n) => machine.timed(`m${n}`, at)),
      )
      await machine.clock.advanceAsync(2000)
      machine.disk.faults.fail({ on: 'write', code: 'EIO', path: 'timerlog', times })
      await machine.put(store, [machine.timed('m10', at), machine.timed('m11', at)])
      await machine.clock.advanceAsync(5000)
      assert.equal(timers.book.queueOffset, 12)
      machine.kill()
      const again = await machine.run()
      await machine.clock.advanceAsync(60_000)
      assert.deepEqual(
        machine.bodies(again.store),
        [...Array(12).keys()].map(n => `m${n}`),
      )
      assert.deepEqual(
        machine.events.filter(({ name }) => name === 'timer files are made again from the timer topic'),
        [],
      )
    })
})

describe('timerPrecisionMs that is another one at a start', () => {
  for (const [from, to] of [
    [100, 1000],
    [1000, 100],
    [500, 200],
  ] as const)
    test(`${to} instead of ${from} loses nothing and delivers nothing twice`, async () => {
      const machine = new TimerMachine()
      const first = await machine.run({ precisionMs: from })
      const now = machine.clock.now()
      await machine.put(first.store, [machine.timed('a', now + 1000), machine.timed('b', now + 60_300)])
      await machine.clock.advanceAsync(20_350)
      assert.deepEqual(machine.bodies(first.store), ['a'])
      await machine.end(first)
      const { store } = await machine.run({ precisionMs: to })
      await machine.put(store, [machine.timed('c', machine.clock.now() + 50_000)])
      await machine.clock.advanceAsync(80_000)
      assert.deepEqual(machine.bodies(store), ['a', 'b', 'c'])
    })
})

test('a timer that was taken up long after its time is made again where the wheel is lost before it is delivered', async () => {
  let [isIntakeStopped, isDeliveryStopped] = [true, false]
  const machine = new TimerMachine()
  const { store, timers } = await machine.run({
    isIntakeStopped: () => isIntakeStopped,
    isDeliveryStopped: () => isDeliveryStopped,
  })
  await machine.put(store, [machine.timed('late', machine.clock.now() + 2000)])
  await machine.clock.advanceAsync(60_000)
  isDeliveryStopped = true
  isIntakeStopped = false
  await machine.clock.advanceAsync(5000)
  assert.equal(timers.book.queueOffset, 1)
  machine.kill()
  machine.disk.remove('/store/timerwheel')
  isDeliveryStopped = false
  const again = await machine.run()
  await machine.clock.advanceAsync(10_000)
  assert.deepEqual(machine.bodies(again.store), ['late'])
})

test('a damaged record in the timer’s topic keeps none of the others', async () => {
  const machine = new TimerMachine()
  let isIntakeStopped = true
  const first = await machine.run({ isIntakeStopped: () => isIntakeStopped })
  const at = machine.clock.now() + 20 * secondMs
  await machine.put(
    first.store,
    ['a', 'b', 'c', 'd'].map(body => machine.timed(body, at)),
  )
  await machine.end(first)
  const { store } = first
  void store
  const log = machine.disk.open('/store/commitlog/00000000000000000000', 'write')
  const head = Buffer.alloc(8)
  log.readSync(head, 0, 8, 0)
  // The magic of the second one.
  log.writeSync(Buffer.from([1, 2, 3, 4]), 0, 4, head.readInt32BE(0) + 4)
  log.closeSync()
  isIntakeStopped = false
  const again = await machine.run()
  await machine.clock.advanceAsync(30_000)
  assert.deepEqual(machine.bodies(again.store), ['a', 'c', 'd'])
  assert.equal(again.store.maxOffset(wheelTimerTopic, 0), 4)
})

const told = ['a message is damaged in the commit log, and left out', 'timed message dropped']

for (const [what, place, value] of [
  ['a body longer than all that was read', 84, 1_000_000],
  ['a body that holds a part of the next record', 84, 300],
  ['a body that ends before', 84, 0],
  ['a place in its queue that is far ahead', 24, 1_000_000],
] as const)
  test(`a record that says of ${what} keeps none of the others`, async () => {
    const machine = new TimerMachine()
    let isIntakeStopped = true
    const first = await machine.run({ isIntakeStopped: () => isIntakeStopped })
    const at = machine.clock.now() + 20 * secondMs
    await machine.put(
      first.store,
      ['a', 'b', 'c', 'd'].map(body => machine.timed(body, at)),
    )
    const { physicalOffset } = machine.read(first.store, wheelTimerTopic)[1]!
    await machine.end(first)
    const log = machine.disk.open('/store/commitlog/00000000000000000000', 'write')
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    log.writeSync(bytes, 0, 4, physicalOffset + place)
    log.closeSync()
    isIntakeStopped = false
    const again = await machine.run()
    await machine.clock.advanceAsync(30_000)
    assert.deepEqual(machine.bodies(again.store), ['a', 'c', 'd'])
    assert.equal(again.timers.book.queueOffset, 4)
    assert.equal(machine.events.filter(({ name }) => told.includes(name)).length, 1)
  })

test('large messages that are due together are not in memory together', async () => {
  const machine = new TimerMachine({
    ...{ flushDiskType: 'SYNC_FLUSH', maxDirtyBytes: 1e9, mappedFileSizeCommitLog: 64 * 1024 * 1024 },
    ...{ maxMessageSize: 4 * 1024 * 1024, logChunkBytes: 1024 * 1024 },
  })
  const { store, timers } = await machine.run()
  const at = second(machine, 60_000)
  const body = 'x'.repeat(4 * 1024 * 1024 - 1000)
  for (let n = 0; n < 12; n++) {
    await machine.put(
      store,
      [machine.timed('', at)].map(message => ({ ...message, body })),
    )
    await machine.clock.advanceAsync(500)
  }
  await machine.clock.advanceAsync(at - 1500 - machine.clock.now())
  machine.disk.faults.slow({ on: 'read', ms: 150, path: 'commitlog' })
  let most = 0
  for (let step = 0; step < 100; step++) {
    await machine.clock.advanceAsync(100)
    most = Math.max(most, timers.bytesInFlight)
  }
  assert.equal(store.maxOffset('T', 0), 12)
  assert.ok(most > 0 && most <= maxTimerBytesInFlight + body.length + 1000, `${most} bytes`)
})

test('a wheel that cannot be made leaves no files open', async () => {
  const machine = new TimerMachine()
  const { store } = await machine.run()
  const before = machine.disk.openFiles
  machine.disk.faults.fail({ on: 'truncate', code: 'EIO', path: 'timerwheel', times: 20 })
  await machine.put(store, [machine.timed('a', machine.clock.now() + 5000)])
  await machine.clock.advanceAsync(1500)
  assert.ok(machine.events.some(({ name }) => name === 'timers are not taken up'))
  // Those of the topic's queue.
  assert.ok(machine.disk.openFiles < before + 5, `${machine.disk.openFiles - before} more`)
  await machine.clock.advanceAsync(20_000)
  assert.deepEqual(machine.bodies(store), ['a'])
})

test('a power cut while a stop puts what is left of a slot behind all others loses none of it', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const machine = new TimerMachine({ flushDiskType: 'SYNC_FLUSH' }, seed)
    const { store, timers } = await machine.run()
    const at = second(machine, 20_000)
    const early = Array.from({ length: 3 }, (_, n) => machine.timed(`early${n}`, at + 100))
    const late = Array.from({ length: 300 }, (_, n) => machine.timed(`late${n}`, at + 900))
    await machine.put(store, [...late, ...early])
    await machine.clock.advanceAsync(at + 500 - machine.clock.now())
    assert.equal(store.maxOffset('T', 0), 3)
    machine.disk.faults.slow({ on: 'sync', ms: 1000, path: 'timerlog' })
    const stopping = timers.stop().catch(() => {})
    await machine.clock.advanceAsync(500)
    machine.powerCut()
    void stopping
    machine.disk.faults.clear()
    const again = await machine.run()
    await machine.clock.advanceAsync(10_000)
    const missing = late.filter(({ body }) => !machine.bodies(again.store).includes(body))
    assert.deepEqual(missing, [], `seed ${seed}`)
  }
})

test('a half of a slot’s rest, put behind at a stop on a full disk, is none of a slot that no check point knows of', async () => {
  const machine = new TimerMachine({ flushDiskType: 'SYNC_FLUSH' })
  const { store, timers } = await machine.run({ flushMs: 1e9 })
  await machine.put(store, [machine.timed('zero', machine.clock.now() + 2000)])
  await machine.clock.advanceAsync(5000)
  await machine.clock.until(timers.book.save())
  const at = second(machine, 20_000)
  const late = Array.from({ length: 1500 }, (_, n) => machine.timed(`late${n}`, at + 900))
  await machine.put(store, [...late, machine.timed('early', at + 100)])
  await machine.clock.advanceAsync(at + 500 - machine.clock.now())
  assert.deepEqual(machine.bodies(store), ['zero', 'early'])
  machine.disk.faults.fail({ on: 'write', code: 'ENOSPC', path: 'timerlog', skip: 1 })
  await machine.clock.until(timers.stop().catch(() => {}))
  machine.kill()
  machine.disk.faults.clear()
  const again = await machine.run({ flushMs: 1000 })
  await machine.clock.advanceAsync(10_000)
  const came = new Set(machine.bodies(again.store))
  assert.deepEqual(late.filter(({ body }) => !came.has(body)).length, 0)
})

test('a slot whose rest cannot be put behind at a stop stays as it is', async () => {
  const machine = new TimerMachine()
  machine.settings = { ...machine.settings, fileBytes: 52 * 40 + 16 }
  const first = await machine.run()
  const at = second(machine, 20_000)
  await machine.put(first.store, [
    ...Array.from({ length: 30 }, (_, n) => machine.timed(`late${n}`, at + 900)),
    machine.timed('early', at + 100),
  ])
  await machine.clock.advanceAsync(at + 500 - machine.clock.now())
  assert.deepEqual(machine.bodies(first.store), ['early'])
  machine.disk.faults.fail({ on: 'open', code: 'EIO', path: 'timerlog/00000000000000002096', times: 1 })
  await assert.rejects(machine.clock.until(first.timers.stop()))
  await machine.clock.until(first.store.stop())
  machine.kill()
  const again = await machine.run()
  await machine.clock.advanceAsync(10_000)
  const came = new Set(machine.bodies(again.store))
  assert.equal(came.size, 31)
})

test('a stop in the middle of a large slot, of which the store takes nothing, puts each behind once', async () => {
  const machine = new TimerMachine()
  const first = await machine.run({ scheduledAtOnce: 1500 })
  const at = second(machine, 20_000)
  const count = 4000
  const timed = (_: unknown, n: number) => machine.timed(String(n), at + (n === 0 ? 100 : 900))
  await machine.put(first.store, Array.from({ length: count }, timed))
  await machine.clock.advanceAsync(at + 500 - machine.clock.now())
  assert.deepEqual(machine.bodies(first.store), ['0'])
  machine.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog' })
  await machine.clock.advanceAsync(450)
  const stopping = first.timers.stop()
  machine.disk.faults.clear()
  await machine.clock.until(stopping)
  await machine.clock.until(first.store.stop())
  machine.kill()
  const { store, timers } = await machine.run()
  assert.equal(timers.book.size, count - 1)
  await machine.clock.advanceAsync(20_000)
  assert.equal(store.maxOffset('T', 0), count)
})

test('a look for files of the timer log that are over ends with the broker, and removes none behind it', async () => {
  const machine = new TimerMachine()
  machine.settings = { ...machine.settings, fileBytes: 52 * 40 + 16 }
  const { store, timers } = await machine.run()
  const now = machine.clock.now()
  await machine.put(
    store,
    Array.from({ length: 100 }, (_, n) => machine.timed(`m${n}`, now + 2000 + n)),
  )
  await machine.clock.advanceAsync(29_900)
  const files = machine.disk.list('/store/timerlog')
  assert.equal(files.length, 3)
  machine.disk.faults.slow({ on: 'read', ms: 3000, path: 'timerlog' })
  await machine.clock.advanceAsync(1000)
  await machine.clock.until(timers.stop())
  const open = machine.disk.openFiles
  await machine.clock.advanceAsync(60_000)
  assert.deepEqual(machine.disk.list('/store/timerlog'), files)
  assert.equal(machine.disk.openFiles, open)
})
