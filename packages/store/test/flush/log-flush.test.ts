import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LogFlush } from '../../src/flush/log-flush.ts'
import { defaultStoreConfig, type StoreConfig } from '../../src/index.ts'
import { bytesAt, LogParts } from '../log-parts.ts'

const size = 16_384

class Flushed extends LogParts {
  readonly synced: number[] = []
  readonly failed: string[] = []
  readonly flush: LogFlush

  constructor(config: Partial<StoreConfig> = {}) {
    super({ size })
    const { clock, log, health } = this
    this.flush = new LogFlush({
      ...{ clock, log, health, config: { ...defaultStoreConfig, ...config } },
      onSynced: offset => this.synced.push(offset),
      onFailed: error => this.failed.push(String(error)),
    })
    this.flush.start(0)
  }

  /** Writes, and asks for the fdatasync. */
  grow(length: number): void {
    this.write(length)
    this.flush.written(true)
  }

  /** Writes what is not synced once more, as the probe does. */
  rewrite(): void {
    const { segments, written } = this.log
    for (const { base, path } of segments.all) {
      const from = Math.max(base, this.flush.synced)
      const to = Math.min(base + size, written)
      if (from < to) this.disk.open(path, 'write').writeSync(bytesAt(from, to - from), 0, to - from, from - base)
    }
  }

  /** After a power cut all that was called synced is there. */
  assertKept(to: number): void {
    this.powerCut()
    assert.ok(this.onDisk(0, to).equals(bytesAt(0, to)), `all up to ${to} is on the medium`)
  }
}

const slow = { on: 'sync', ms: 100, path: '/log' } as const
const broken = { on: 'sync', code: 'EIO', path: '/log' } as const

describe('LogFlush', () => {
  test('calls synced what was written before the fdatasync began, and no sooner than it has ended', async () => {
    const at = new Flushed()
    at.disk.faults.slow(slow)
    at.grow(1000)
    await at.clock.advanceAsync(50)
    at.write(500)
    assert.deepEqual([at.flush.synced, at.synced], [0, []])
    await at.clock.advanceAsync(50)
    assert.deepEqual([at.flush.synced, at.synced, at.flush.dirtyBytes], [1000, [1000], 500])
    at.assertKept(1000)
    assert.ok(
      at.onDisk(1000, 1500).every(byte => byte === 0),
      'the rest was not',
    )
  })

  test('syncs every file that has something unsynced, and those only', async () => {
    const at = new Flushed()
    at.grow(3 * size + 100)
    await at.clock.advanceAsync(0)
    assert.equal(at.flush.synced, 3 * size + 100)
    at.disk.faults.fail({ ...broken, path: at.log.segments.all[2]!.path })
    at.grow(size)
    await at.clock.advanceAsync(0)
    assert.equal(at.flush.synced, 4 * size + 100)
    at.assertKept(4 * size + 100)
  })

  test('who asks while one runs has the next one, together with all others who ask', async () => {
    const at = new Flushed()
    at.disk.faults.slow(slow)
    at.grow(1000)
    await at.clock.advanceAsync(10)
    at.grow(1000)
    await at.clock.advanceAsync(10)
    at.grow(1000)
    await at.clock.advanceAsync(180)
    assert.deepEqual(at.synced, [1000, 3000])
    await at.clock.advanceAsync(1000)
    assert.deepEqual(at.synced, [1000, 3000])
    at.assertKept(3000)
  })

  test('syncs on its own where too much is dirty', async () => {
    const at = new Flushed({ flushDirtyBytes: 1000 })
    at.write(1000)
    at.flush.written(false)
    await at.clock.advanceAsync(10)
    assert.equal(at.flush.synced, 0)
    at.write(1)
    at.flush.written(false)
    await at.clock.advanceAsync(10)
    assert.equal(at.flush.synced, 1001)
  })

  test('what a failed fdatasync was for is not called synced before it is written again', async () => {
    const at = new Flushed()
    at.flush.begin()
    at.disk.faults.fail({ ...broken, times: 1 })
    at.grow(5000)
    await at.clock.advanceAsync(0)
    assert.deepEqual([at.flush.synced, at.synced, at.failed.length, at.flush.hasFailed], [0, [], 1, true])
    assert.match(at.failed[0]!, /EIO/)
    assert.match(at.health.refusing?.remark ?? '', /fdatasync.*EIO/)
    at.grow(5000)
    await at.clock.advanceAsync(60_000)
    await at.flush.syncAll()
    assert.deepEqual([at.flush.synced, at.synced], [0, []], 'another one would succeed without those bytes')
    at.rewrite()
    assert.equal(await at.flush.retry(at.flush.failureCount), true)
    assert.deepEqual([at.flush.synced, at.synced], [10_000, [10_000]])
    at.assertKept(10_000)
  })

  test('a request that came before the failure is not served behind it', async () => {
    const at = new Flushed()
    at.disk.faults.slow(slow)
    at.disk.faults.fail({ ...broken, times: 1 })
    at.grow(1000)
    await at.clock.advanceAsync(50)
    at.grow(5000)
    await at.clock.advanceAsync(1000)
    assert.deepEqual([at.flush.synced, at.synced], [0, []])
  })

  test('a round under way counts for nothing when another sync of the log fails meanwhile', async () => {
    const at = new Flushed()
    at.disk.faults.slow(slow)
    at.grow(5000)
    await at.clock.advanceAsync(50)
    at.grow(100)
    at.flush.failed(new Error('the sync of somebody else'))
    await at.clock.advanceAsync(1000)
    assert.deepEqual([at.flush.synced, at.synced], [0, []])
    const { failureCount } = at.flush
    at.flush.failed(new Error('once more'))
    assert.equal(await at.flush.retry(failureCount), false, 'what was written again since then is lost again')
    const retry = at.flush.retry(at.flush.failureCount)
    await at.clock.advanceAsync(50)
    at.flush.failed(new Error('during the retry'))
    assert.equal(await at.clock.until(retry), false)
    assert.deepEqual([at.flush.synced, at.synced], [0, []])
  })

  test('a retry that fails throws, and the bytes stay unsynced', async () => {
    const at = new Flushed()
    at.disk.faults.fail(broken)
    at.grow(1000)
    await at.clock.advanceAsync(0)
    await assert.rejects(at.flush.retry(at.flush.failureCount), /EIO/)
    assert.deepEqual([at.flush.synced, at.synced, at.pinsOf(0)], [0, [], 0])
  })

  test('a cut during a round: nothing behind it is called synced, and what is written there next is synced anew', async () => {
    const at = new Flushed()
    at.disk.faults.slow(slow)
    at.grow(5000)
    await at.clock.advanceAsync(50)
    at.log.cut(3000)
    at.flush.cut(3000)
    at.write(2000)
    await at.clock.advanceAsync(50)
    assert.deepEqual([at.flush.synced, at.synced], [0, []])
    await at.clock.advanceAsync(100)
    assert.deepEqual([at.flush.synced, at.synced], [5000, [5000]])
    at.log.cut(4000)
    at.flush.cut(4000)
    assert.equal(at.flush.synced, 4000)
    at.flush.cut(4500)
    assert.equal(at.flush.synced, 4000)
    at.assertKept(4000)
  })

  test('a file that is removed while the flush is at it, or at one behind it, is no failure', async () => {
    const at = new Flushed()
    at.grow(size + 100)
    await at.clock.advanceAsync(0)
    at.disk.faults.slow(slow)
    at.grow(2 * size)
    await at.clock.advanceAsync(50)
    // The first file is synced as a whole; the flush is at the second one, which somebody removes as well.
    const removed = at.log.segments.removeFirst()
    at.disk.remove(at.log.segments.first!.path)
    await at.clock.until(removed)
    await at.clock.advanceAsync(1000)
    assert.deepEqual([at.flush.synced, at.failed], [3 * size + 100, []])
    at.powerCut()
    const from = 2 * size
    const kept = at.log.segments.all.slice(1).map(({ path }) => at.disk.readFile(path))
    assert.ok(
      Buffer.concat(kept)
        .subarray(0, size + 100)
        .equals(bytesAt(from, size + 100)),
    )
  })

  test('by time: enough pages at an interval, anything after the thorough one, nothing after a stop', async () => {
    const at = new Flushed({ flushIntervalCommitLog: 500, flushCommitLogThoroughInterval: 10_000 })
    at.write(100)
    await at.clock.advanceAsync(20_000)
    assert.equal(at.flush.synced, 0, 'not before it has begun')
    at.flush.begin()
    await at.clock.advanceAsync(500)
    assert.equal(at.flush.synced, 100)
    at.write(4 * 4096 - 1)
    await at.clock.advanceAsync(500)
    assert.equal(at.flush.synced, 100)
    at.write(1)
    await at.clock.advanceAsync(500)
    assert.equal(at.flush.synced, 100 + 4 * 4096)
    at.write(10)
    await at.clock.advanceAsync(9500)
    assert.equal(at.flush.synced, 100 + 4 * 4096)
    await at.clock.advanceAsync(500)
    assert.equal(at.flush.synced, 110 + 4 * 4096)
    at.write(7)
    at.disk.faults.slow(slow)
    const stopping = at.flush.stop()
    assert.match(at.flush.busyRemark(), /^7 bytes .* has taken 0 ms/)
    await at.clock.until(stopping)
    assert.equal(at.flush.synced, 117 + 4 * 4096, 'a stop syncs what is left')
    at.write(5 * 4096)
    await at.clock.advanceAsync(60_000)
    assert.equal(at.clock.nextInMs, undefined)
    assert.equal(at.flush.dirtyBytes, 5 * 4096)
  })

  test('who abandons waits for the fdatasync under way, and asks for no other', async () => {
    const at = new Flushed()
    at.disk.faults.slow(slow)
    at.flush.begin()
    at.grow(100)
    await at.clock.advanceAsync(50)
    at.write(100)
    let isOver = false
    const abandoned = at.flush.abandon().then(() => {
      isOver = true
    })
    await at.clock.advanceAsync(49)
    assert.equal(isOver, false)
    await at.clock.until(abandoned)
    assert.deepEqual([at.flush.synced, at.clock.nextInMs], [100, undefined])
  })
})
