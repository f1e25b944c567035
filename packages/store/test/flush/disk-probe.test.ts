import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DiskProbe } from '../../src/flush/disk-probe.ts'
import { LogFlush } from '../../src/flush/log-flush.ts'
import { defaultStoreConfig, type StoreConfig } from '../../src/index.ts'
import { bytesAt, LogParts } from '../log-parts.ts'

const size = 16_384
const config: StoreConfig = { ...defaultStoreConfig, diskProbeInterval: 1000 }

/** A log, its flush, and the probe that repairs them, as the store has them. */
class Probed extends LogParts {
  readonly flush: LogFlush
  readonly probe: DiskProbe

  constructor(options: { ringBytes?: number } = {}) {
    super({ size, ...options })
    const { clock, log, health } = this
    this.flush = new LogFlush({
      ...{ clock, log, health, config },
      onSynced: () => {},
      onFailed: () => this.probe.begin(),
    })
    this.probe = new DiskProbe({ clock, config, log, health, flush: this.flush })
    this.flush.start(0)
  }

  /** What follows an fdatasync that has failed, without its bytes on the medium. */
  async failSync(length: number): Promise<void> {
    this.disk.faults.fail({ on: 'sync', code: 'EIO', path: '/log', times: 1 })
    for (let left = length; left > 0; left -= 1000) this.write(Math.min(left, 1000))
    this.flush.written(true)
    await this.clock.advanceAsync(0)
    assert.ok(this.flush.hasFailed)
  }

  /** A turn of `length` bytes of which the disk takes a part only. */
  failWrite(length: number): void {
    this.disk.faults.fail({ on: 'write', code: 'ESHORTWRITE', path: '/log', times: 1 })
    assert.throws(() => this.write(length), /ESHORTWRITE/)
    this.log.rollback()
    this.health.set('log write', 'the disk is full')
    this.probe.begin()
  }

  assertKept(to: number): void {
    this.powerCut()
    assert.ok(this.onDisk(0, to).equals(bytesAt(0, to)), `all up to ${to} is on the medium`)
  }

  /** Nothing but zeros behind the end of the log. */
  assertClear(): void {
    const { segments, written } = this.log
    assert.ok(this.onDisk(written, segments.end).every(byte => byte === 0))
  }
}

describe('DiskProbe', () => {
  test('after a failed fdatasync the bytes are written again and synced, and then only is all well', async () => {
    const at = new Probed()
    await at.failSync(2 * size + 5000)
    await at.clock.advanceAsync(999)
    assert.ok(at.health.has('log sync'))
    await at.clock.advanceAsync(1)
    assert.equal(at.health.refusing, undefined)
    assert.equal(at.flush.synced, 2 * size + 5000)
    assert.equal(at.clock.nextInMs, undefined, 'nothing is probed any more')
    at.assertKept(2 * size + 5000)
  })

  test('what is no longer in memory is written again from the files', async () => {
    const at = new Probed({ ringBytes: 4096 })
    await at.failSync(2 * size + 5000)
    assert.ok(at.log.ring.oldestOffset! >= 2 * size)
    await at.clock.advanceAsync(1000)
    assert.equal(at.health.refusing, undefined)
    at.assertKept(2 * size + 5000)
  })

  test('what is in memory is written from there: the pages of the file may be gone', async () => {
    const at = new Probed()
    await at.failSync(5000)
    at.disk.open(at.log.segments.first!.path, 'write').writeSync(Buffer.alloc(5000), 0, 5000, 0)
    await at.clock.advanceAsync(1000)
    at.assertKept(5000)
  })

  test('chunks that are not full, and what is taken but not written, are none of it', async () => {
    const at = new Probed()
    for (const length of [3000, 3000, 2000]) at.take(length)
    at.log.writeTurn()
    await at.failSync(1)
    at.take(500)
    await at.clock.advanceAsync(1000)
    assert.equal(at.flush.synced, 8001)
    assert.ok(at.onDisk(0, 8001).equals(bytesAt(0, 8001)))
    at.log.rollback()
    at.assertClear()
  })

  test('what is synced is not written again, nor what is deleted', async () => {
    const at = new Probed()
    at.write(2000)
    await at.flush.syncAll()
    at.disk.open(at.log.segments.first!.path, 'write').writeSync(Buffer.alloc(2000, 'x'), 0, 2000, 0)
    await at.failSync(3000)
    await at.clock.advanceAsync(1000)
    assert.equal(at.onDisk(0, 2000).toString(), 'x'.repeat(2000))
    await at.failSync(size)
    await at.log.segments.removeFirst()
    await at.clock.advanceAsync(1000)
    assert.deepEqual([at.health.refusing, at.flush.synced], [undefined, size + 5000])
    at.powerCut()
    assert.ok(at.disk.readFile(at.log.segments.first!.path).subarray(0, 5000).equals(bytesAt(size, 5000)))
  })

  for (const [place, ringBytes] of [
    ['memory', 65_536],
    ['the file', 4096],
  ] as const)
    test(`what is written over itself from ${place} never takes the place of newer bytes`, async () => {
      const at = new Probed({ ringBytes })
      await at.failSync(size - 3000)
      for (const on of ['read', 'write'] as const) at.disk.faults.slow({ on, ms: 7, path: '/log' })
      for (let round = 0; round < 60; round++) {
        await at.clock.advanceAsync(20)
        if (round > 40) at.write(100)
      }
      at.disk.faults.clear()
      await at.clock.advanceAsync(5000)
      assert.ok(at.onDisk(0, at.log.written).equals(bytesAt(0, at.log.written)))
      await at.flush.syncAll()
      assert.equal(at.flush.synced, at.log.written)
      at.assertKept(at.log.written)
    })

  test('goes on at its interval for as long as the disk refuses, one probe at a time', async () => {
    const at = new Probed()
    await at.failSync(1000)
    at.disk.faults.fail({ on: 'write', code: 'EIO', path: '/log', times: 1 })
    at.disk.faults.fail({ on: 'sync', code: 'EIO', path: '/log', times: 2 })
    for (let second = 0; second < 3; second++) {
      at.probe.begin()
      await at.clock.advanceAsync(1000)
      assert.ok(at.health.has('log sync'), `after ${second + 1} s`)
      assert.equal(at.flush.synced, 0)
    }
    await at.clock.advanceAsync(1000)
    assert.equal(at.health.refusing, undefined)
    at.assertKept(1000)
  })

  for (const on of ['write', 'sync'] as const)
    test(`a sync that fails during the ${on} of the probe makes its work worthless`, async () => {
      const at = new Probed()
      await at.failSync(5000)
      at.disk.faults.slow({ on, ms: 100, path: '/log' })
      await at.clock.advanceAsync(1050)
      at.flush.failed(new Error('somebody else'))
      await at.clock.advanceAsync(500)
      assert.ok(at.health.has('log sync'))
      assert.equal(at.flush.synced, 0)
      await at.clock.advanceAsync(2000)
      assert.equal(at.health.refusing, undefined)
      at.assertKept(5000)
    })

  test('what a failed turn left behind the end is zeros before anything else is written there, on the medium too', async () => {
    const at = new Probed()
    at.write(size - 3000)
    await at.flush.syncAll()
    // Half of a chunk in the first file, or all of it and a half of the next one's.
    at.failWrite(2000)
    at.disk.faults.fail({ on: 'write', code: 'ESHORTWRITE', path: '/log', skip: 1, times: 1 })
    assert.throws(() => at.write(6000), /ESHORTWRITE/)
    at.log.rollback()
    // Somebody's fdatasync takes along what lies there.
    for (const { path } of at.log.segments.all) await at.disk.open(path, 'write').syncData()
    assert.ok(at.onDisk(at.log.written, 2 * size).some(byte => byte !== 0))
    await at.clock.advanceAsync(1000)
    assert.equal(at.health.refusing, undefined)
    assert.equal(at.log.strayEnd, at.log.written)
    at.assertClear()
    at.assertKept(size - 3000)
    at.assertClear()
  })

  test('space is tried: a disk that is still full is seen, also where the turn left nothing', async () => {
    const at = new Probed()
    at.write(1000)
    at.health.set('log write', 'no room for a file')
    at.disk.faults.bytesUntilFull = 100
    at.probe.begin()
    await at.clock.advanceAsync(3000)
    assert.ok(at.health.has('log write'))
    at.disk.faults.clear()
    await at.clock.advanceAsync(1000)
    assert.equal(at.health.refusing, undefined)
  })

  test('an fdatasync of its own that fails is one of the log: what waited for it is written again', async () => {
    const at = new Probed()
    at.write(5000)
    at.failWrite(1000)
    at.disk.faults.fail({ on: 'sync', code: 'EIO', path: '/log', times: 1 })
    await at.clock.advanceAsync(1000)
    assert.deepEqual([at.health.has('log sync'), at.health.has('log write')], [true, true])
    await at.clock.advanceAsync(1000)
    assert.equal(at.health.refusing, undefined)
    assert.equal(at.flush.synced, 5000)
    at.assertKept(5000)
  })

  test('nothing is repaired by figures that are not to be trusted', async () => {
    const at = new Probed()
    await at.failSync(1000)
    at.failWrite(1000)
    const before = at.onDisk(0, size)
    at.health.fault(new Error('a figure is wrong'))
    await at.clock.advanceAsync(60_000)
    assert.ok(at.onDisk(0, size).equals(before))
    assert.deepEqual([at.health.has('log sync'), at.health.has('log write'), at.flush.synced], [true, true, 0])
    assert.equal(at.clock.nextInMs, undefined)
  })

  test('a stop waits for what is under way, and nothing is touched after it', async () => {
    const at = new Probed()
    await at.failSync(2 * size + 5000)
    at.disk.faults.slow({ on: 'write', ms: 100, path: '/log' })
    await at.clock.advanceAsync(1050)
    let isOver = false
    const stopped = at.probe.stop().then(() => {
      isOver = true
    })
    await at.clock.advanceAsync(49)
    assert.equal(isOver, false)
    await at.clock.advanceAsync(1)
    assert.equal(isOver, true, 'the next write is not begun')
    await stopped
    at.probe.begin()
    assert.equal(at.clock.nextInMs, undefined)
    assert.ok(at.health.has('log sync'))
    assert.equal(at.pinsOf(0), 0)
    const idle = new Probed()
    await idle.failSync(100)
    await idle.probe.stop()
    assert.equal(idle.clock.nextInMs, undefined)
  })
})
