import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  GetRequest,
  GetResult,
  type MessageBitmaps,
  type MessageFilter,
  type QueueEntry,
  verifyStore,
} from '../src/index.ts'
import { drain, get, message, type Opened, open, put, smallConfig, type World, world } from './harness.ts'

const extended = { ...smallConfig, enableConsumeQueueExt: true, mappedFileSizeConsumeQueueExt: 1024 }
const directory = '/store/consumequeue_ext/T/0'
const fileNames = ['00000000000000000000', '00000000000000001024']

const tag = (text: string): MessageFilter => ({ matchesTag: hash => hash === text.charCodeAt(0) })

function entriesOf({ store }: Opened, from = 0): QueueEntry[] {
  const into = Array.from({ length: 1000 }, () => ({ physicalOffset: 0, size: 0, tagsCode: 0 }))
  return into.slice(0, store.queue('T', 0)?.entries(from, into) ?? 0)
}

async function filled(at: World, bitmaps?: MessageBitmaps) {
  const opened = await open(at, extended, bitmaps === undefined ? {} : { bitmaps })
  for (let i = 0; i < 100; i++) put(opened, message('T', `m${i}`, `KEYS\x01k${i}\x02TAGS\x01${'AB'[i % 2]}`))
  await at.clock.advanceAsync(1500)
  return opened
}

function bytesOf({ disk }: World, path: string): Buffer {
  return Buffer.from(disk.readFile(path)!)
}

test('an entry holds the address of its unit, which lies in the files as Java writes them', async () => {
  const at = world()
  const bitmap = Uint8Array.from({ length: 14 }, (_, i) => i)
  const opened = await filled(at, { of: () => bitmap })
  const file = bytesOf(at, `${directory}/${fileNames[0]}`)
  assert.equal(file.length, 1024)
  assert.equal(file.readInt16BE(0), 34)
  assert.equal(file.readBigInt64BE(2), 65n)
  assert.equal(file.readInt16BE(18), 14)
  assert.deepEqual([...file.subarray(20, 34)], [...bitmap])
  // 30 units, and four bytes that must stay free behind the last: the next one would end at 1054.
  assert.equal(file.readInt16BE(30 * 34), -1)
  const queue = bytesOf(at, '/store/consumequeue/T/0/00000000000000000000')
  assert.equal(queue.readBigInt64BE(12), -(2n ** 63n))
  assert.equal(queue.readBigInt64BE(32), -(2n ** 63n) + 34n)
  const entries = entriesOf(opened)
  assert.deepEqual([entries[30]?.ext?.address, entries[31]?.ext?.address], [1024, 1058])
  assert.deepEqual(
    entries.map(entry => entry.tagsCode),
    Array.from({ length: 100 }, (_, i) => 65 + (i % 2)),
  )
  assert.deepEqual([...(entries[40]?.ext?.unit?.bitmap ?? [])], [...bitmap])
  await at.clock.until(opened.store.stop())
})

test('tags choose through extended units: in memory, from the files, and by a store that writes none', async () => {
  const at = world()
  const opened = await filled(at)
  const wanted = Array.from({ length: 50 }, (_, i) => `m${2 * i + 1}`)
  const read = async (from: Opened) => {
    const bodies: string[] = []
    for (let offset = 0; offset < 100; ) {
      const got = await get(from, { topic: 'T', offset, filter: tag('B') })
      bodies.push(...got.bodies)
      offset = got.nextOffset
    }
    return bodies
  }
  assert.deepEqual(await read(opened), wanted)
  await at.clock.until(opened.store.stop())
  for (const config of [extended, { ...extended, enableConsumeQueueExt: false }]) {
    const again = await open(at, config)
    assert.deepEqual(await read(again), wanted)
    put(again, message('T', `x`, 'TAGS\x01A'))
    await at.clock.until(again.store.stop())
  }
  const third = await open(at, extended)
  put(third, message('T', 'last', 'TAGS\x01B'))
  assert.deepEqual(
    entriesOf(third, 98).map(({ tagsCode, ext }) => [tagsCode, ext !== undefined]),
    [
      [65, true],
      [66, true],
      [65, true],
      [65, false],
      [66, true],
    ],
  )
  await at.clock.until(third.store.stop())
})

test('a bitmap spares the look at a record, and an entry whose unit is lost passes', async () => {
  const at = world()
  let next = 0
  const opened = await filled(at, { of: () => Uint8Array.of(next++ % 2) })
  let looked = 0
  const filter: MessageFilter = {
    matchesTag: () => true,
    matchesBitmap: bitmap => bitmap[0] === 1,
    matchesRecord: () => ++looked > 0,
  }
  const got = await get(opened, { topic: 'T', offset: 0, filter })
  assert.deepEqual([got.bodies[0], got.bodies[1], looked], ['m1', 'm3', got.bodies.length])
  for (const name of at.disk.list(directory)) at.disk.writeFile(`${directory}/${name}`, new Uint8Array(1024))
  assert.deepEqual((await get(opened, { topic: 'T', offset: 0, filter: tag('B') })).bodies.slice(0, 2), ['m0', 'm1'])
  await at.clock.until(opened.store.stop())
})

test('verify looks into extended units', async () => {
  const at = world()
  const opened = await filled(at)
  await at.clock.until(opened.store.stop())
  const findings = async () => {
    const found: string[] = []
    for await (const each of verifyStore(at.disk, '/store')) found.push(each)
    return found
  }
  assert.deepEqual(await findings(), [])
  const path = `${directory}/${fileNames[1]}`
  const bytes = bytesOf(at, path)
  bytes.writeBigInt64BE(77n, 2)
  bytes.writeInt16BE(0, 20)
  at.disk.writeFile(path, bytes)
  const first = Math.floor(1020 / 20)
  assert.deepEqual(
    (await findings()).map(each => each.replace(/the message at \d+/, 'the message')),
    [
      `consumequeue T/0 ${first}: tags code 77, the message has 66`,
      `consumequeue T/0 ${first + 1}: no extended unit at 1044`,
    ],
  )
})

test('lost files of extended units are rebuilt from the log', async () => {
  const at = world()
  const opened = await filled(at)
  await at.clock.until(opened.store.stop())
  at.disk.remove('/store/consumequeue_ext')
  const again = await open(at, extended)
  assert.deepEqual(
    entriesOf(again).map(entry => [entry.tagsCode, entry.ext !== undefined]),
    Array.from({ length: 100 }, (_, i) => [65 + (i % 2), true]),
  )
  assert.equal((await drain(again, 'T')).length, 100)
  await at.clock.until(again.store.stop())
})

test('files of extended units go with the messages they speak of, and with their topic', async () => {
  const at = world()
  const opened = await open(at, { ...extended, deleteWhen: '' })
  for (let i = 0; i < 600; i++) put(opened, message('T', `m${i}`, 'TAGS\x01A'))
  await at.clock.advanceAsync(2000)
  const before = at.disk.list(directory)
  at.clock.step(100 * 3_600_000)
  opened.store.deleteExpired()
  await at.clock.advanceAsync(80_000)
  const after = at.disk.list(directory)
  assert.ok(after.length > 0 && after.length < before.length)
  assert.deepEqual(after, before.slice(-after.length))
  const min = opened.store.minOffset('T', 0)
  assert.equal(entriesOf(opened, min)[0]?.tagsCode, 65)
  opened.store.deleteTopic('T')
  assert.deepEqual(at.disk.list(directory), [])
  await at.clock.until(opened.store.stop())
})

test('a disk that does not give extended units of messages in memory is told of by the promise: whoever wakes readers goes on', async () => {
  const at = world()
  const opened = await filled(at)
  const request = { topic: 'T', offset: 0, filter: tag('B') }
  at.disk.faults.fail({ on: 'read', code: 'EIO', path: 'consumequeue_ext' })
  const reading = opened.store.get(Object.assign(new GetRequest(), request), new GetResult())
  await assert.rejects(async () => reading, /EIO/)
  at.disk.faults.clear()
  assert.ok((await get(opened, request)).bodies.includes('m1'))
  await at.clock.until(opened.store.stop())
})
