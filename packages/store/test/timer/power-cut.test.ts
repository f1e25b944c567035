import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimClock, SimDisk, SimRandom } from '@skua-mq/runtime'
import { noTimerCheckpoint, TimerCheckFile, TimerLog, type TimerUnit, TimerWheel } from '../../src/index.ts'

const slotMs = 1_767_225_600_000
const fileBytes = 52 * 10 + 16
const unit = (n: number): TimerUnit => ({
  ...{ previous: -1, magic: 1, writtenAtMs: slotMs, slotMs: slotMs + n * 1000, physicalOffset: n, size: 300 },
  ...{ topicHash: 1, withinMs: 0 },
})

const logOn = (disk: SimDisk) => new TimerLog({ disk, directory: '/store/timerlog', fileBytes })
const wheelOn = (disk: SimDisk) => new TimerWheel({ disk, path: '/store/timerwheel', precisionMs: 1000 })
const checkOn = (disk: SimDisk) => new TimerCheckFile(disk, '/store/config/timercheck')
const checkOf = (readMs: number) => ({ ...noTimerCheckpoint, readMs })

/** A disk on which only the directory of the store is known to be there. */
function emptyDisk(): SimDisk {
  const disk = new SimDisk(new SimClock())
  disk.makeDirectory('/store')
  disk.syncDirectory('/')
  return disk
}

/** The units of the log, as a start finds them. */
async function unitsOn(disk: SimDisk, end: number): Promise<number[]> {
  const log = logOn(disk)
  log.load()
  const found: number[] = []
  for await (const { unit: one } of log.reader().units(0, Math.min(end, log.end), fileBytes))
    found.push(one.physicalOffset)
  return found
}

/** The same at many power cuts, each of which takes something else of what was not synced. */
async function cuts(run: (cut: (disk: SimDisk) => void, seed: number) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= 12; seed++) await run(disk => disk.powerCut(new SimRandom(seed)), seed)
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('what was said to be on the medium', () => {
  test('is there after a power cut: units of the timer log, over several files', () =>
    cuts(async (cut, seed) => {
      const disk = emptyDisk()
      const log = logOn(disk)
      // What came after a sync must be there after the next one, too.
      for (const n of numbers(35)) {
        log.append(unit(n))
        if (n % 12 !== 11 && n !== 34) continue
        log.write()
        await log.sync()
      }
      cut(disk)
      assert.deepEqual(await unitsOn(disk, log.end), numbers(35), `seed ${seed}`)
    }))

  test('is there after a power cut: units of the timer log that somebody wrote who was killed before a sync', () =>
    cuts(async (cut, seed) => {
      const disk = emptyDisk()
      const killed = logOn(disk)
      for (const n of numbers(6)) killed.append(unit(n))
      killed.write()
      await killed.sync()
      const synced = killed.end
      for (const n of numbers(27).slice(6)) killed.append(unit(n))
      killed.write()
      const log = logOn(disk)
      log.load()
      log.truncate(killed.end, synced)
      log.append(unit(27))
      log.write()
      await log.sync()
      cut(disk)
      assert.deepEqual(await unitsOn(disk, log.end), numbers(28), `seed ${seed}`)
    }))

  test('is there after a power cut: slots of the wheel', () =>
    cuts(async (cut, seed) => {
      const disk = emptyDisk()
      const wheel = wheelOn(disk)
      wheel.open({ isNew: true })
      const slots = numbers(600).map(n => slotMs + n * 700_000)
      for (const half of [slots.slice(0, 300), slots.slice(300)]) {
        for (const each of half) wheel.put({ slotMs: each, firstPosition: 1, lastPosition: 2, count: 1 })
        await wheel.write(wheel.snapshot())
      }
      cut(disk)
      const again = wheelOn(disk)
      assert.ok(again.exists, `seed ${seed}`)
      again.open({ isNew: false })
      for (const each of slots) assert.equal(again.slot(each)?.count, 1, `seed ${seed}`)
    }))

  test('is there after a power cut: the first check point, and each later one', () =>
    cuts(async (cut, seed) => {
      for (const last of [1, 3]) {
        const disk = emptyDisk()
        for (let n = 1; n <= last; n++) await checkOn(disk).save(checkOf(n * 1000))
        cut(disk)
        assert.equal(checkOn(disk).load()?.readMs, last * 1000, `seed ${seed}, ${last}`)
      }
    }))
})

describe('a timer log whose sync failed', () => {
  test('is written again before it is believed', () =>
    cuts(async (cut, seed) => {
      const disk = emptyDisk()
      const log = logOn(disk)
      for (const n of numbers(25)) log.append(unit(n))
      log.write()
      await log.sync()
      for (const n of numbers(5)) log.append(unit(25 + n))
      log.write()
      disk.faults.fail({ on: 'sync', code: 'EIO', path: 'timerlog', times: 1 })
      await assert.rejects(log.sync(), { code: 'EIO' })
      // The system counts its pages as clean now: another sync alone says nothing of them.
      await log.sync()
      cut(disk)
      assert.deepEqual(await unitsOn(disk, log.end), numbers(30), `seed ${seed}`)
    }))
})

describe('pages of the wheel', () => {
  test('are written as they were when they were taken, whatever changes meanwhile', async () => {
    const clock = new SimClock()
    const disk = new SimDisk(clock)
    disk.makeDirectory('/store')
    const wheel = wheelOn(disk)
    wheel.open({ isNew: true })
    for (const slots of [[slotMs], [slotMs + 128_000, slotMs + 256_000]]) {
      for (const each of slots) wheel.put({ slotMs: each, firstPosition: 1, lastPosition: 1, count: 1 })
      disk.faults.slow({ on: 'write', ms: 100, path: 'timerwheel' })
      const writing = wheel.write(wheel.snapshot())
      for (const each of slots) wheel.put({ slotMs: each, firstPosition: 1, lastPosition: 9, count: 2 })
      await clock.until(writing)
      const found = wheelOn(disk)
      found.open({ isNew: false })
      for (const each of slots)
        assert.equal(found.slot(each)?.lastPosition, 1, 'the log need not have what came behind')
      found.close()
      assert.ok(wheel.changedPages > 0)
      disk.faults.clear()
    }
  })

  test('that are changed, or being written, are kept while thousands of others come and go', async () => {
    const clock = new SimClock()
    const disk = new SimDisk(clock)
    disk.makeDirectory('/store')
    const wheel = wheelOn(disk)
    wheel.open({ isNew: true })
    const pageMs = 128_000
    wheel.put({ slotMs, firstPosition: 1, lastPosition: 1, count: 1 })
    disk.faults.slow({ on: 'write', ms: 1000, path: 'timerwheel' })
    const writing = wheel.write(wheel.snapshot())
    wheel.put({ slotMs: slotMs + pageMs, firstPosition: 2, lastPosition: 2, count: 2 })
    for (let n = 2; n < 5000; n++) wheel.slot(slotMs + n * pageMs)
    assert.equal(wheel.slot(slotMs)?.count, 1, 'it is not in the file yet')
    assert.equal(wheel.slot(slotMs + pageMs)?.count, 2)
    await clock.until(writing)
    await clock.until(wheel.write(wheel.snapshot()))
    for (let n = 2; n < 5000; n++) wheel.slot(slotMs + n * pageMs)
    assert.equal(wheel.slot(slotMs + pageMs)?.count, 2)
  })
})
