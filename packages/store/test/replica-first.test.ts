import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RecordMagic } from '@skua-mq/protocol'
import { message, open, put, smallConfig, world } from './harness.ts'

const slaveConfig = { ...smallConfig, brokerRole: 'SLAVE' } as const

test('a slave whose disk refuses the first file of the log has nothing before it, and takes it when the disk does', async () => {
  const [here, there] = [world(), world()]
  const master = await open(there)
  for (let i = 0; i < 30; i++) put(master, message('T', 'x'.repeat(1000)))
  const begin = smallConfig.mappedFileSizeCommitLog
  const slave = await open(here, slaveConfig)
  const lift = here.disk.faults.fail({ on: 'truncate', code: 'ENOSPC', path: 'commitlog' })
  const bytes = await master.store.readLog(begin, 10_000)
  assert.throws(() => slave.store.appendReplicated(begin, bytes), /ENOSPC/)
  const { minPhysicalOffset, maxPhysicalOffset } = slave.store
  assert.deepEqual([minPhysicalOffset, maxPhysicalOffset], [begin, begin])
  assert.equal(await slave.store.landmarks.last(), undefined)
  await here.clock.advanceAsync(10_000)
  lift()
  await here.clock.advanceAsync(10_000)
  slave.store.appendReplicated(begin, bytes)
  assert.ok(slave.store.maxPhysicalOffset > begin)
  assert.equal(slave.store.minPhysicalOffset, begin)
  slave.turn.run()
  await here.clock.until(slave.store.stop())
  const later = await open(here, slaveConfig, { bootId: 'next' })
  assert.equal(later.store.minPhysicalOffset, begin)
  await here.clock.until(later.store.stop())
})

test('what cannot be the beginning of a record is not waited for, whatever size it names', async () => {
  const here = world()
  const events: string[] = []
  here.events.subscribe(({ name }) => events.push(name))
  const slave = await open(here, slaveConfig)
  const bytes = Buffer.alloc(100)
  bytes.writeInt32BE(10_000, 0)
  bytes.writeInt32BE(12_345, 4)
  slave.store.appendReplicated(0, bytes)
  assert.deepEqual(events, ['what the master sent holds no record; the rest of its file is skipped'])
  assert.equal(slave.store.maxPhysicalOffset, 100)
  await here.clock.until(slave.store.stop())
})

test('what is held of a record takes no more memory than the record', async () => {
  const here = world()
  const size = 8_500_000
  const slave = await open(here, { ...slaveConfig, mappedFileSizeCommitLog: 2 * size })
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const frame = Buffer.alloc(1000)
  frame.writeInt32BE(size, 0)
  frame.writeInt32BE(RecordMagic.v1, 4)
  for (let round = 0; round < 3; round++) {
    collect()
    await setImmediate()
  }
  const before = process.memoryUsage().arrayBuffers
  // The last byte never comes.
  for (let at = 0; at + frame.length < size; at += frame.length) slave.store.appendReplicated(at, frame)
  let held = Number.POSITIVE_INFINITY
  // What is outgrown is given back beside this thread.
  for (let round = 0; round < 50 && held > size + 100_000; round++) {
    collect()
    await setImmediate()
    held = process.memoryUsage().arrayBuffers - before
  }
  assert.ok(held <= size + 100_000, `${held}`)
  assert.equal(slave.store.maxPhysicalOffset, 0)
  await here.clock.until(slave.store.stop())
})
