import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheelTimerTopic } from '@skua-mq/protocol'
import { TimerMachine, type TimerProcess } from './timer-machine.ts'

const minute = 60_000
const hour = 60 * minute
const dayMs = 24 * hour
const files = { mappedFileSizeCommitLog: 64 * 1024, fileReservedTime: 1 }

async function fill(machine: TimerMachine, { store }: TimerProcess): Promise<void> {
  for (let n = 0; n < 4; n++) await machine.put(store, [{ topic: 'U', body: 'x'.repeat(40_000) }])
}

test('a message that is taken up late is held by the log from that moment on', async () => {
  const machine = new TimerMachine(files)
  let isStopped = false
  const process = await machine.run({ isIntakeStopped: () => isStopped, windowMs: () => 2 * dayMs })
  const { clock } = machine
  await machine.put(process.store, [machine.timed('a', clock.now() + 2000)])
  await clock.advanceAsync(5000)
  isStopped = true
  await machine.put(process.store, [machine.timed('late', clock.now() + 5 * hour)])
  await fill(machine, process)
  clock.step(2 * hour)
  // A look for what is held has just been.
  await clock.advanceAsync(3 * minute - 5000 + 500)
  isStopped = false
  await clock.advanceAsync(1000)
  assert.equal(process.timers.behind, 0)
  process.store.deleteExpired()
  await clock.advanceAsync(20_000)
  clock.step(3 * hour)
  await clock.advanceAsync(2000)
  assert.deepEqual(machine.bodies(process.store), ['a', 'late'])
})

test('a message that the disk does not give any more holds no log that is over', async () => {
  const machine = new TimerMachine(files)
  const { clock, disk } = machine
  const first = await machine.run()
  await machine.put(first.store, [machine.timed('bad', clock.now() + 10_000)])
  const place = machine.read(first.store, wheelTimerTopic)[0]!.physicalOffset
  await fill(machine, first)
  await clock.advanceAsync(2000)
  await machine.end(first)
  disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog', place: [place, place + 100] })
  const process = await machine.run()
  await clock.advanceAsync(2 * minute)
  clock.step(2 * hour)
  await clock.advanceAsync(5 * minute)
  process.store.deleteExpired()
  await clock.advanceAsync(2 * minute)
  assert.notEqual(process.store.minPhysicalOffset, 0)
})

test('a unit that is damaged once it is over lets the log take no message of those behind it', async () => {
  const machine = new TimerMachine(files)
  const { clock, disk } = machine
  const process = await machine.run({ windowMs: () => 2 * dayMs })
  await machine.put(process.store, [
    machine.timed('a', clock.now() + 2000),
    machine.timed('b', clock.now() + 2000),
    machine.timed('late', clock.now() + 5 * hour),
  ])
  await fill(machine, process)
  await clock.advanceAsync(10_000)
  const log = disk.open('/store/timerlog/00000000000000000000', 'write')
  log.writeSync(Buffer.alloc(52, 0xf3), 0, 52, 52)
  log.closeSync()
  await clock.advanceAsync(minute)
  clock.step(2 * hour)
  await clock.advanceAsync(3 * minute)
  process.store.deleteExpired()
  await clock.advanceAsync(20_000)
  clock.step(3 * hour)
  await clock.advanceAsync(2000)
  assert.deepEqual(machine.bodies(process.store), ['a', 'b', 'late'])
})
