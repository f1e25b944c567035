import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimClock, SimDisk } from '@skua-mq/runtime'
import {
  DamagedTimerLog,
  decodeTimerCheckpoint,
  encodeTimerCheckpoint,
  readTimerUnit,
  TimerCheckFile,
  TimerLog,
  type TimerUnit,
  TimerWheel,
  timerUnitBytes,
  timerWheelBytes,
  writeTimerUnit,
} from '../../src/index.ts'

const slotMs = 1_767_225_600_000
const unit = (changes: Partial<TimerUnit> = {}): TimerUnit => ({
  ...{ previous: -1, magic: 1, writtenAtMs: slotMs - 5000, slotMs, physicalOffset: 2 ** 40 + 7, size: 300 },
  ...{ topicHash: -84, withinMs: 0 },
  ...changes,
})

/** One of each size of the 64-bit fields as hexadecimal digits. */
const long = (value: number): string => BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, '0')
const word = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')

test('a unit of the timer log is RocketMQ’s, byte by byte', () => {
  const bytes = Buffer.alloc(timerUnitBytes)
  const one = unit({ magic: 3 })
  writeTimerUnit(one, bytes, 0)
  const hex = [word(52), long(-1), word(3), long(slotMs - 5000), word(5000)]
  hex.push(long(2 ** 40 + 7), word(300), word(-84), long(0))
  assert.equal(bytes.toString('hex'), hex.join(''))
  assert.deepEqual(readTimerUnit(bytes, 0), one)
  for (let length = 0; length < timerUnitBytes; length++)
    assert.equal(readTimerUnit(bytes.subarray(0, length), 0), undefined)
  assert.equal(readTimerUnit(Buffer.alloc(timerUnitBytes), 0), undefined)
})

test('a check point is seven longs, and one of an older RocketMQ four', () => {
  const check = {
    ...{ readMs: slotMs, logFlushed: 52, queueOffset: 1, masterQueueOffset: 2 },
    ...{ stateVersion: 3, timestamp: slotMs + 1, counter: 9 },
  }
  const bytes = encodeTimerCheckpoint(check)
  assert.equal(bytes.toString('hex'), Object.values(check).map(long).join(''))
  assert.deepEqual(decodeTimerCheckpoint(bytes), check)
  const old = { ...check, stateVersion: 0, timestamp: 0, counter: 0 }
  assert.deepEqual(decodeTimerCheckpoint(bytes.subarray(0, 32)), old)
  assert.equal(decodeTimerCheckpoint(bytes.subarray(0, 31)), undefined)
})

test('timercheck has 4096 bytes, and none that RocketMQ has made and not filled counts', async () => {
  const disk = new SimDisk(new SimClock())
  const file = new TimerCheckFile(disk, '/store/config/timercheck')
  assert.equal(file.load(), undefined)
  const check = decodeTimerCheckpoint(Buffer.alloc(56))!
  await file.save({ ...check, readMs: 5 })
  assert.equal(disk.stat('/store/config/timercheck')?.size, 4096)
  assert.deepEqual(file.load(), { ...check, readMs: 5 })
  disk.writeFile('/store/config/timercheck', Buffer.alloc(4096))
  assert.equal(file.load(), undefined)
})

describe('the timer log', () => {
  const fileBytes = 52 * 10 + 20
  const open = (disk: SimDisk) => {
    const log = new TimerLog({ disk, directory: '/store/timerlog', fileBytes })
    log.load()
    return log
  }

  test('ends files as RocketMQ does: with what is left, 0 and its mark, where no unit and no end would fit', () => {
    const disk = new SimDisk(new SimClock())
    const log = open(disk)
    log.truncate(0)
    const positions = Array.from({ length: 23 }, (_, n) => log.append(unit({ physicalOffset: n })))
    log.write()
    assert.deepEqual(
      positions,
      Array.from({ length: 23 }, (_, n) => Math.floor(n / 10) * fileBytes + (n % 10) * 52),
    )
    const names = ['00000000000000000000', '00000000000000000540', '00000000000000001080']
    assert.deepEqual(disk.list('/store/timerlog'), names)
    const first = disk.readFile('/store/timerlog/00000000000000000000')
    assert.equal(first.length, fileBytes)
    assert.equal(first.subarray(520).toString('hex'), `${word(20)}${long(0)}cbd4319400000000`)
  })

  test('reads back what was written, over the ends of files, and what was cut off is gone', async () => {
    const disk = new SimDisk(new SimClock())
    const log = open(disk)
    log.truncate(0)
    for (let n = 0; n < 23; n++) log.append(unit({ physicalOffset: n }))
    log.write()
    const read = async (from: TimerLog, end: number) => {
      const found: number[] = []
      for await (const each of from.reader().units(0, end, fileBytes)) found.push(each.unit.physicalOffset)
      return found
    }
    assert.deepEqual(
      await read(log, log.end),
      Array.from({ length: 23 }, (_, n) => n),
    )
    log.truncate(fileBytes + 52 * 3)
    log.append(unit({ physicalOffset: 99 }))
    log.write()
    log.close()
    const again = open(disk)
    assert.deepEqual(await read(again, again.end), [...Array.from({ length: 13 }, (_, n) => n), 99])
  })

  test('loses files whose timers are over, and the last one never', async () => {
    const disk = new SimDisk(new SimClock())
    const log = open(disk)
    log.truncate(0)
    for (let n = 0; n < 35; n++) log.append(unit({ physicalOffset: n * 100, slotMs: slotMs + n * 1000 }))
    log.write()
    const limits = { minOffset: 0, readMs: slotMs, reachMs: 60_000 }
    await log.removeBefore(limits)
    assert.equal(log.begin, 0)
    await log.removeBefore({ ...limits, readMs: slotMs + 10_000 })
    assert.equal(log.begin, fileBytes)
    await log.removeBefore({ ...limits, minOffset: 2000 })
    assert.equal(log.begin, 2 * fileBytes)
    await log.removeBefore({ ...limits, readMs: slotMs * 2 })
    assert.equal(log.begin, 3 * fileBytes)
  })
})

describe('the timer wheel', () => {
  test('has RocketMQ’s slots: 32 bytes for each second of 14 days', async () => {
    const disk = new SimDisk(new SimClock())
    const wheel = new TimerWheel({ disk, path: '/store/timerwheel', precisionMs: 1000 })
    disk.makeDirectory('/store')
    wheel.open({ isNew: true })
    assert.equal(wheel.slot(slotMs), undefined)
    wheel.put({ slotMs, firstPosition: 52, lastPosition: 104, count: 2 })
    assert.equal(disk.stat('/store/timerwheel')?.size, 38_707_200)
    assert.equal(timerWheelBytes, 38_707_200)
    const at = ((slotMs / 1000) % (2 * 604_800)) * 32
    const bytes = () => disk.readFile('/store/timerwheel').toString('hex', at, at + 32)
    assert.equal(bytes(), '0'.repeat(64), 'nothing is written by itself')
    await wheel.write(wheel.snapshot())
    assert.equal(bytes(), [long(slotMs / 1000), long(52), long(104), word(2), word(0)].join(''))
    const turn = 2 * 604_800_000
    assert.equal(wheel.slot(slotMs + turn), undefined, 'the same place, another time')
    wheel.put({ slotMs: slotMs + turn, firstPosition: 1, lastPosition: 1, count: 1 })
    assert.equal(wheel.slot(slotMs), undefined)
    wheel.clear(slotMs + turn)
    await wheel.write(wheel.snapshot())
    assert.equal(bytes(), '0'.repeat(64))
  })

  test('keeps what was changed while it was written, and forgets no page', async () => {
    const disk = new SimDisk(new SimClock())
    disk.makeDirectory('/store')
    const wheel = new TimerWheel({ disk, path: '/store/timerwheel', precisionMs: 1000 })
    wheel.open({ isNew: true })
    const slots = Array.from({ length: 5000 }, (_, n) => slotMs + n * 131_000)
    for (const [n, each] of slots.entries()) {
      wheel.put({ slotMs: each, firstPosition: n, lastPosition: n, count: 1 })
      if (n % 700 === 699) {
        const snapshot = wheel.snapshot()
        wheel.put({ slotMs: slots[0]!, firstPosition: n, lastPosition: n, count: 1 })
        if (n === 1399) wheel.giveBack(snapshot)
        else await wheel.write(snapshot)
      }
    }
    await wheel.write(wheel.snapshot())
    assert.equal(wheel.changedPages, 0)
    wheel.close()
    const again = new TimerWheel({ disk, path: '/store/timerwheel', precisionMs: 1000 })
    again.open({ isNew: false })
    assert.equal(again.slot(slots[0]!)?.lastPosition, 4899)
    slots.slice(1).forEach((each, n) => {
      assert.equal(again.slot(each)?.lastPosition, n + 1)
    })
    let count = 0
    for await (const _ of again.all()) count++
    assert.equal(count, 5000)
  })
})

test('a file whose last unit was put behind again is kept for those before it', async () => {
  const disk = new SimDisk(new SimClock())
  const fileBytes = 52 * 10 + 16
  const log = new TimerLog({ disk, directory: '/store/timerlog', fileBytes })
  for (let n = 0; n < 9; n++) log.append(unit({ physicalOffset: 10_000 + n }))
  log.append(unit({ physicalOffset: 5, writtenAtMs: slotMs - 700_000, slotMs: slotMs - 600_000 }))
  log.append(unit({ physicalOffset: 11_000 }))
  log.write()
  await log.removeBefore({ minOffset: 1000, readMs: slotMs - 1000, reachMs: 500_000 })
  assert.equal(log.begin, 0)
  await log.removeBefore({ minOffset: 10_009, readMs: slotMs - 1000, reachMs: 500_000 })
  assert.equal(log.begin, fileBytes)
})

test('a file with a unit that is damaged stays for those behind it, and that is said', async () => {
  const disk = new SimDisk(new SimClock())
  const fileBytes = 52 * 10 + 16
  const log = new TimerLog({ disk, directory: '/store/timerlog', fileBytes })
  for (let n = 0; n < 9; n++) log.append(unit({ physicalOffset: 10_000 + n }))
  log.append(unit({ physicalOffset: 5, writtenAtMs: slotMs - 700_000, slotMs: slotMs - 600_000 }))
  log.append(unit({ physicalOffset: 11_000 }))
  log.write()
  const file = disk.open('/store/timerlog/00000000000000000000', 'write')
  file.writeSync(Buffer.alloc(52, 0xf3), 0, 52, 0)
  const removed = log.removeBefore({ minOffset: 1000, readMs: slotMs - 1000, reachMs: 500_000 })
  await assert.rejects(removed, DamagedTimerLog)
  assert.equal(log.begin, 0)
})

describe('the first slot of the wheel that holds something', () => {
  const disk = new SimDisk(new SimClock())
  const stepMs = 1000
  const put = (wheel: TimerWheel, at: number) => wheel.put({ slotMs: at, firstPosition: 0, lastPosition: 52, count: 1 })
  const open = (isNew: boolean) => {
    const wheel = new TimerWheel({ disk, path: '/timerwheel', precisionMs: stepMs })
    wheel.open({ isNew })
    return wheel
  }
  /** As it would be found one slot after the other. */
  const expected = (wheel: TimerWheel, from: number, to: number) => {
    let at = from
    while (at < to && wheel.slot(at) === undefined) at += stepMs
    return at
  }

  test('is the one that a look at each of them finds, also in a file of before, and past its end', async () => {
    const wheel = open(true)
    // The wheel begins anew within this stretch.
    const start = Math.ceil(slotMs / (1_209_600 * stepMs)) * 1_209_600 * stepMs - 500 * stepMs
    const places = [0, 1, 127, 128, 499, 500, 777, 1500].map(slot => start + slot * stepMs)
    for (const place of places) put(wheel, place)
    wheel.clear(places[2]!)
    wheel.clear(places[6]!)
    await wheel.write(wheel.snapshot())
    for (const one of [wheel, open(false)])
      for (let from = start; from < start + 1600 * stepMs; from += 37 * stepMs)
        for (const to of [from, from + 100 * stepMs, from + 2000 * stepMs])
          assert.equal(one.firstFilled(from, to), expected(one, from, to))
  })

  test('a slot of two weeks ago is none, and one that is put in its place is', () => {
    const wheel = open(true)
    put(wheel, slotMs)
    const later = slotMs + 1_209_600 * stepMs
    assert.equal(wheel.firstFilled(later, later + 10 * stepMs), later + 10 * stepMs)
    put(wheel, later)
    assert.equal(wheel.firstFilled(later - 500 * stepMs, later + 10 * stepMs), later)
    wheel.clear(later)
    assert.equal(wheel.firstFilled(later, later + 10 * stepMs), later + 10 * stepMs)
  })
})
