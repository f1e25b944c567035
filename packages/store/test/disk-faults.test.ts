import assert from 'node:assert/strict'
import test from 'node:test'
import { SimRandom } from '@skua-mq/runtime'
import { rewrite } from '../src/file/rewrite.ts'
import type { StoreConfig } from '../src/index.ts'
import { draftOf, drain, message, Outcomes, open, put, smallConfig, world } from './harness.ts'

const syncFlush: StoreConfig = { ...smallConfig, flushDiskType: 'SYNC_FLUSH' }

test('a write that fails fails its whole turn, and nothing of it is ever shown', async () => {
  const at = world()
  const opened = await open(at)
  put(opened, message('T', 'before'))
  at.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
  const failed = put(opened, message('T', 'lost 1'), message('T', 'lost 2'))
  assert.deepEqual(
    failed.map(({ status, physicalOffset }) => [status, physicalOffset]),
    [
      ['failed', -1],
      ['failed', -1],
    ],
  )
  assert.match(failed[0]!.remark, /EIO/)
  assert.equal(put(opened, message('T', 'refused'))[0]?.status, 'serviceNotAvailable')
  assert.match(opened.store.refusing?.remark ?? '', /read-only/)
  await at.clock.advanceAsync(2000)
  assert.equal(opened.store.refusing, undefined)
  assert.equal(put(opened, message('T', 'after'))[0]?.queueOffset, 1)
  assert.deepEqual(await drain(opened, 'T'), ['before', 'after'])
  await at.clock.until(opened.store.stop())
})

test('a full disk makes the store read-only until there is space again', async () => {
  const at = world()
  const opened = await open(at)
  put(opened, message('T', 'before'))
  at.disk.faults.bytesUntilFull = 10
  assert.equal(put(opened, message('T', 'too much'))[0]?.status, 'failed')
  await at.clock.advanceAsync(5000)
  assert.match(opened.store.refusing?.remark ?? '', /ESHORTWRITE|ENOSPC/)
  assert.equal(put(opened, message('T', 'still full'))[0]?.status, 'serviceNotAvailable')
  at.disk.faults.clear()
  await at.clock.advanceAsync(5000)
  assert.equal(put(opened, message('T', 'after'))[0]?.status, 'ok')
  const again = await open(at)
  assert.deepEqual(await drain(again, 'T'), ['before', 'after'])
})

test('under SYNC_FLUSH the answer waits for an fdatasync that began after the write', async () => {
  const at = world()
  const opened = await open(at, syncFlush)
  const lift = at.disk.faults.slow({ on: 'sync', ms: 300, path: 'commitlog' })
  const outcomes = new Outcomes()
  opened.store.append(draftOf(message('T', 'first')), outcomes)
  opened.turn.run()
  await at.clock.advanceAsync(100)
  opened.store.append(draftOf(message('T', 'second')), outcomes)
  opened.turn.run()
  await at.clock.advanceAsync(250)
  opened.turn.run()
  assert.equal(outcomes.all.length, 1, 'the second joins the next fdatasync')
  await at.clock.advanceAsync(300)
  opened.turn.run()
  assert.deepEqual(
    outcomes.all.map(({ status }) => status),
    ['ok', 'ok'],
  )
  lift()
  await at.clock.until(opened.store.stop())
})

test('a message with WAIT=false is answered without the fdatasync', async () => {
  const at = world()
  const opened = await open(at, syncFlush)
  const lift = at.disk.faults.slow({ on: 'sync', ms: 300 })
  const outcomes = new Outcomes()
  opened.store.append(Object.assign(draftOf(message('T', 'a')), { waitStored: false }), outcomes)
  opened.turn.run()
  assert.equal(outcomes.all[0]?.status, 'ok')
  lift()
  await at.clock.until(opened.store.stop())
})

test('a message is stored but not called synced when the fdatasync takes longer than syncFlushTimeout', async () => {
  const at = world()
  const opened = await open(at, syncFlush)
  const lift = at.disk.faults.slow({ on: 'sync', ms: 60_000, path: 'commitlog' })
  const outcomes = new Outcomes()
  opened.store.append(draftOf(message('T', 'a')), outcomes)
  opened.turn.run()
  await at.clock.advanceAsync(4999)
  opened.turn.run()
  assert.equal(outcomes.all.length, 0)
  await at.clock.advanceAsync(1)
  opened.turn.run()
  assert.deepEqual([outcomes.all[0]?.status, outcomes.all[0]?.physicalOffset], ['flushDiskTimeout', 0])
  lift()
})

test('a failed fdatasync is acknowledged to nobody, and made good by writing the bytes again', async () => {
  const at = world()
  const opened = await open(at, syncFlush)
  at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog', times: 1 })
  const outcomes = new Outcomes()
  opened.store.append(draftOf(message('T', 'a')), outcomes)
  opened.turn.run()
  await at.clock.advanceAsync(0)
  opened.turn.run()
  assert.equal(outcomes.all[0]?.status, 'flushDiskTimeout')
  assert.match(opened.store.refusing?.remark ?? '', /fdatasync.*EIO/)
  await at.clock.advanceAsync(1500)
  assert.equal(opened.store.refusing, undefined)
  opened.store.append(draftOf(message('T', 'b')), outcomes)
  opened.turn.run()
  await at.clock.advanceAsync(0)
  opened.turn.run()
  assert.equal(outcomes.all[1]?.status, 'ok')
  await at.clock.until(opened.store.stop())
})

test('sends are busy while more than maxDirtyBytes wait for the disk', async () => {
  const at = world()
  const opened = await open(at, { ...smallConfig, maxDirtyBytes: 1000 })
  const lift = at.disk.faults.slow({ on: 'sync', ms: 10_000, path: 'commitlog' })
  assert.equal(put(opened, message('T', 'x'.repeat(1000)))[0]?.status, 'ok')
  const busy = put(opened, message('T', 'y'))[0]!
  assert.equal(busy.status, 'busy')
  assert.match(busy.remark, /1\d{3} bytes.*maxDirtyBytes is 1000/)
  lift()
  await at.clock.advanceAsync(11_000)
  assert.equal(put(opened, message('T', 'y'))[0]?.status, 'ok')
  await at.clock.until(opened.store.stop())
})

test('SYNC_MASTER without a slave stores the message and says that no slave was there', async () => {
  const at = world()
  const opened = await open(at, { ...smallConfig, brokerRole: 'SYNC_MASTER' })
  assert.equal(put(opened, message('T', 'a'))[0]?.status, 'slaveNotAvailable')
  assert.deepEqual(await drain(opened, 'T'), ['a'])
  await at.clock.until(opened.store.stop())
})

test('an fdatasync that fails while the disk is probed costs nothing: what it took along is written again', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const at = world()
    const opened = await open(at)
    // Several sectors, since one that is written again takes along what was lost of it.
    const before = 'b'.repeat(3000)
    put(opened, message('T', before))
    at.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
    put(opened, message('T', 'fails'))
    at.disk.faults.fail({ on: 'sync', code: 'EIO', times: 1 })
    await at.clock.advanceAsync(20_000)
    at.disk.powerCut(new SimRandom(seed))
    const again = await open({ ...at, disk: at.disk }, smallConfig, { bootId: 'next' })
    assert.deepEqual(await drain(again, 'T'), [before], `seed ${seed}`)
    await at.clock.until(again.store.stop())
  }
})

test('an fdatasync that fails while the probe of a failed write runs is repaired, too', async () => {
  const at = world()
  const opened = await open(at, { ...smallConfig, flushCommitLogLeastPages: 0, flushIntervalCommitLog: 500 })
  await at.clock.advanceAsync(400)
  put(opened, message('T', 'not synced'))
  at.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
  put(opened, message('T', 'fails'))
  // The flush begins its fdatasync before the probe does, and fails while the probe waits for its own.
  at.disk.faults.slow({ on: 'sync', ms: 1200, path: 'commitlog' })
  await at.clock.advanceAsync(1150)
  at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog', times: 1 })
  await at.clock.advanceAsync(1000)
  assert.match(opened.store.refusing?.remark ?? '', /fdatasync|written/)
  await at.clock.advanceAsync(10_000)
  assert.equal(opened.store.refusing, undefined)
  await at.clock.until(opened.store.stop())
})

test('the probe ends with the store: nothing is written once another may have it', async () => {
  const at = world()
  const opened = await open(at, syncFlush)
  put(opened, message('T', 'before'))
  await at.clock.advanceAsync(100)
  at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog' })
  put(opened, message('T', 'not synced'))
  at.disk.faults.slow({ on: 'write', ms: 3000, path: 'commitlog' })
  await at.clock.advanceAsync(1200)
  let isOpen = true
  const { stat } = at.disk
  const stopping = opened.store.stop().then(() => {
    isOpen = false
  })
  await at.clock.until(stopping)
  at.disk.faults.clear()
  at.disk.faults.fail({ on: 'write', code: 'EWRITTEN' })
  at.disk.faults.fail({ on: 'sync', code: 'ESYNCED' })
  const before = stat.call(at.disk, '/store/commitlog/00000000000000000000')
  await at.clock.advanceAsync(20_000)
  assert.equal(isOpen, false)
  assert.deepEqual(stat.call(at.disk, '/store/commitlog/00000000000000000000'), before)
})

test('bytes that are written over themselves after a failed fdatasync never take the place of newer ones', async () => {
  const { disk, clock } = world()
  const file = disk.open('/file', 'create')
  file.writeSync(Buffer.alloc(200_000, 'o'), 0, 200_000, 0)
  disk.faults.slow({ on: 'read', ms: 10 })
  const rewriting = rewrite(file)
  for (let at = 0; at < 200_000; at += 10_000) {
    await clock.advanceAsync(3)
    file.writeSync(Buffer.from('new'), 0, 3, at)
  }
  await clock.until(rewriting)
  disk.faults.clear()
  const bytes = disk.readFile('/file')
  for (let at = 0; at < 200_000; at += 10_000) assert.equal(bytes.toString('utf8', at, at + 3), 'new')
})

test('without a free descriptor idle files are closed, and sends go on', async () => {
  const at = world()
  const opened = await open(at, { ...smallConfig, maxOpenFiles: 100 })
  for (let i = 0; i < 20; i++) put(opened, { ...message(`T${i}`, 'x'), queueId: 0 })
  await at.clock.advanceAsync(3000)
  for (const code of ['EMFILE', 'ENFILE']) {
    at.disk.faults.fail({ on: 'open', code, times: 1, path: 'consumequeue' })
    at.disk.faults.fail({ on: 'open', code, times: 1, path: 'commitlog' })
    at.disk.faults.fail({ on: 'open', code, times: 1, path: 'skua.dispatch' })
    for (let i = 0; i < 200; i++) assert.equal(put(opened, message(`${code}${i}`, 'x'.repeat(300)))[0]?.status, 'ok')
    await at.clock.advanceAsync(30_000)
    assert.equal(opened.store.refusing, undefined)
  }
  await at.clock.until(opened.store.stop())
})

for (const [name, breaks] of Object.entries({
  'is read-only': at => {
    for (const on of ['write', 'sync', 'names', 'open', 'truncate'] as const) at.disk.faults.fail({ on, code: 'EROFS' })
  },
  'fails to sync': at => void at.disk.faults.fail({ on: 'sync', code: 'EIO' }),
  'has no names left': at => void at.disk.faults.fail({ on: 'names', code: 'EIO' }),
} satisfies Record<string, (at: ReturnType<typeof world>) => void>)) {
  test(`a store whose disk ${name} stops, says what it could not do, and the next start recovers`, async () => {
    const at = world()
    const opened = await open(at)
    put(opened, message('T', 'written'))
    await at.clock.advanceAsync(100)
    breaks(at)
    const told: string[] = []
    at.events.subscribe(({ level, name: event }) => level === 'error' && told.push(event))
    await at.clock.until(opened.store.stop())
    assert.ok(told.length > 0)
    at.disk.faults.clear()
    const again = await open(at)
    assert.deepEqual(await drain(again, 'T'), ['written'])
    await at.clock.until(again.store.stop())
  })
}

test('after a failed fdatasync no other one is believed before the bytes are written again', async () => {
  const at = world()
  // Of several sectors each: one sector is written whole, neighbours included.
  const large = (text: string) => text.repeat(2000)
  const opened = await open(at, syncFlush)
  const lift = at.disk.faults.slow({ on: 'sync', ms: 1800, path: 'commitlog' })
  const outcomes = new Outcomes()
  opened.store.append(draftOf(message('T', large('a'))), outcomes)
  opened.turn.run()
  await at.clock.advanceAsync(100)
  opened.store.append(draftOf(message('T', large('b'))), outcomes)
  opened.turn.run()
  await at.clock.advanceAsync(100)
  at.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
  put(opened, message('T', 'c'))
  lift()
  // The probe of the failed write syncs, fails, and takes 'b' with it; the fdatasync of 'a' ends after that, and the one
  // that was asked for 'b' meanwhile would find nothing to do.
  at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog', times: 1 })
  await at.clock.advanceAsync(5000)
  opened.turn.run()
  const [d] = put(opened, message('T', large('d')))
  assert.equal(d, undefined)
  await at.clock.advanceAsync(120_000)
  opened.turn.run()
  at.disk.powerCut(new SimRandom(4))
  const again = await open(at, syncFlush, { bootId: 'next' })
  assert.deepEqual(await drain(again, 'T'), ['a', 'b', 'd'].map(large))
})

test('a key is found in memory where the disk refused the directory of the index', async () => {
  const at = world()
  const opened = await open(at)
  const lift = at.disk.faults.fail({ on: 'names', code: 'EIO', path: 'index' })
  const [stored] = put(opened, message('A', 'x', 'KEYS\x01k'))
  const query = { topic: 'A', key: 'k', maxCount: 9, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
  assert.deepEqual((await opened.store.query(query)).physicalOffsets, [stored?.physicalOffset])
  lift()
  await at.clock.until(opened.store.stop())
})

test('a failed fdatasync is noted also where no descriptor is left at first', async () => {
  const at = world()
  const opened = await open(at, { ...smallConfig, flushDiskType: 'SYNC_FLUSH' })
  put(opened, message('A', 'x'))
  await at.clock.advanceAsync(3000)
  at.disk.faults.fail({ on: 'open', code: 'EMFILE', path: 'skua.suspect', times: 1 })
  at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog', times: 1 })
  put(opened, message('A', 'y'))
  await at.clock.advanceAsync(10)
  assert.ok(at.disk.stat('/store/skua.suspect'))
  await at.clock.advanceAsync(10_000)
  await at.clock.until(opened.store.stop())
  assert.equal(at.disk.stat('/store/skua.suspect'), undefined)
})
