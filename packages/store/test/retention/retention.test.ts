import assert from 'node:assert/strict'
import test from 'node:test'
import { GetRequest, GetResult } from '../../src/index.ts'
import { diskVerdict, expiredSegments, isDeletionHour, usedPercent } from '../../src/retention/rules.ts'
import { drain, get, message, open, put, smallConfig, world } from '../harness.ts'

const hour = 3_600_000

test('sealed segments go from the oldest to the first young one, ten at most', () => {
  const ages = (...lastWriteMs: number[]) => lastWriteMs.map(ms => ({ lastWriteMs: ms }))
  const rule = { nowMs: 100 * hour, reservedMs: 72 * hour, force: false }
  assert.equal(expiredSegments([], rule), 0)
  assert.equal(expiredSegments(ages(0), rule), 1)
  assert.equal(expiredSegments(ages(0, 10 * hour, 50 * hour), rule), 2)
  assert.equal(expiredSegments(ages(0, 99 * hour, 0), rule), 1)
  assert.equal(expiredSegments(ages(99 * hour, 99 * hour), { ...rule, force: true }), 2)
  assert.equal(expiredSegments(Array(20).fill({ lastWriteMs: 0 }), rule), 10)
})

test('the hours of deleteWhen are local ones', () => {
  const at = (localHour: number) => new Date(2026, 0, 5, localHour, 30).getTime()
  assert.ok(isDeletionHour('04', at(4)))
  assert.ok(isDeletionHour('02;14', at(14)))
  assert.ok(!isDeletionHour('04', at(5)))
  assert.ok(!isDeletionHour('', at(0)))
})

test('the three watermarks of the disk clean, clean by force, and refuse with a remark that names the setting', () => {
  const verdict = (used: number) => diskVerdict(used, smallConfig)
  assert.deepEqual(verdict(75), { clean: false, force: false, full: undefined })
  assert.deepEqual(verdict(76), { clean: true, force: false, full: undefined })
  assert.deepEqual(verdict(86), { clean: true, force: true, full: undefined })
  assert.match(verdict(91).full ?? '', /91 %.*diskSpaceWarningLevelRatio is 90/)
  // What is kept for root counts neither as used nor as usable: 20 %, where two thirds are not usable.
  assert.equal(usedPercent({ totalBytes: 1000, usedBytes: 85, usableBytes: 340 }), 20)
  assert.equal(usedPercent({ totalBytes: 1000, usedBytes: 749, usableBytes: 251 }), 75)
  assert.equal(usedPercent({ totalBytes: 1000, usedBytes: 750, usableBytes: 249 }), 76)
})

async function filled(deleteWhen = '') {
  const at = world()
  const opened = await open(at, { ...smallConfig, deleteWhen, logRingBytes: 8192 })
  for (let i = 0; i < 600; i++) put(opened, message(`T${i % 3}`, `message ${i}`, `KEYS\x01k${i}`))
  await at.clock.advanceAsync(2000)
  return { at, opened }
}

test('a wall clock that is ahead for a moment deletes nothing, one that stays there does', async () => {
  const everyHour = [...Array(24).keys()].map(hour => String(hour).padStart(2, '0')).join(';')
  const { at, opened } = await filled(everyHour)
  await at.clock.advanceAsync(100_000)
  at.clock.step(100 * hour)
  await at.clock.advanceAsync(30_000)
  at.clock.step(-100 * hour)
  await at.clock.advanceAsync(100_000)
  assert.equal(opened.store.minPhysicalOffset, 0)
  at.clock.step(100 * hour)
  await at.clock.advanceAsync(100_000)
  assert.ok(opened.store.minPhysicalOffset > 0)
})

test('queues and index that could not follow the log follow it in the next round, not with the next deletion', async () => {
  const { at, opened } = await filled()
  at.clock.step(100 * hour)
  opened.store.deleteExpired()
  const lift = at.disk.faults.fail({ on: 'names', code: 'EIO', path: 'consumequeue/T0' })
  await at.clock.advanceAsync(80_000)
  assert.ok(opened.store.minPhysicalOffset > 0)
  // One queue keeps none of the others.
  assert.ok(opened.store.minOffset('T1', 0) > 0)
  lift()
  await at.clock.advanceAsync(20_000)
  for (const topic of ['T0', 'T1', 'T2']) {
    const first = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
    const { minOffset } = opened.store.queue(topic, 0)!
    opened.store.queue(topic, 0)!.entries(minOffset, first)
    assert.ok(first[0]!.physicalOffset >= opened.store.minPhysicalOffset, topic)
  }
  await at.clock.until(opened.store.stop())
})

test('expired segments go with their queue entries and index files; what stays is read as before', async () => {
  const { at, opened } = await filled()
  const before = await drain(opened, 'T0')
  at.clock.step(100 * hour)
  opened.store.deleteExpired()
  put(opened, message('T0', 'young'))
  await at.clock.advanceAsync(80_000)
  const { minPhysicalOffset } = opened.store
  assert.ok(minPhysicalOffset > 0)
  const after = await drain(opened, 'T0')
  assert.deepEqual(after, [...before, 'young'].slice(-after.length))
  assert.ok(after.length < before.length)
  assert.equal((await get(opened, { topic: 'T0', offset: 0 })).status, 'offsetTooSmall')
  const oldKey = { topic: 'T0', key: 'k0', maxCount: 9, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
  const found = (await opened.store.query(oldKey)).physicalOffsets
  for (const offset of found) assert.equal(opened.store.readRecordSync(offset), undefined)
  await at.clock.until(opened.store.stop())
  const again = await open(at, { ...smallConfig, deleteWhen: '' })
  assert.deepEqual(await drain(again, 'T0'), after)
  await at.clock.until(again.store.stop())
})

test('a segment that is being read stays readable until the read is done', async () => {
  const { at, opened } = await filled()
  const lift = at.disk.faults.slow({ on: 'read', ms: 300_000, path: 'commitlog' })
  const result = new GetResult()
  const reading = opened.store.get(Object.assign(new GetRequest(), { topic: 'T0' }), result)
  assert.ok(reading, 'the first messages are no longer in memory')
  await at.clock.advanceAsync(0)
  lift()
  at.clock.step(100 * hour)
  opened.store.deleteExpired()
  await at.clock.advanceAsync(80_000)
  assert.ok(opened.store.minPhysicalOffset > 0, 'the segment is gone')
  await at.clock.until(reading)
  assert.equal(result.status, 'found')
  result.release()
  await at.clock.until(opened.store.stop())
})

test('a disk that is too full refuses messages and says which setting speaks', async () => {
  const { at, opened } = await filled()
  const { totalBytes } = at.disk.space('/')
  at.disk.faults.bytesUntilFull = totalBytes / 20
  await at.clock.advanceAsync(70_000)
  assert.match(put(opened, message('T0', 'x'))[0]!.remark, /9\d % used.*diskSpaceWarningLevelRatio is 90/)
  at.disk.faults.clear()
  await at.clock.advanceAsync(20_000)
  assert.equal(put(opened, message('T0', 'x'))[0]!.status, 'ok')
  await at.clock.until(opened.store.stop())
})
