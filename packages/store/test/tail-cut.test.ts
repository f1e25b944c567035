import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Disk, NodeDisk, noEvents, SimRandom } from '@skua-mq/runtime'
import { Segments } from '../src/commit-log/segments.ts'
import { OpenFiles } from '../src/file/open-files.ts'
import { layoutOf, orderTailCut, type RecordPlace, storedMessages, verifyStore } from '../src/index.ts'
import { setTailAside } from '../src/recovery/tail-cut.ts'
import { message, type Opened, open, put, smallConfig, special, type World, world } from './harness.ts'

const slaveConfig = { ...smallConfig, brokerRole: 'SLAVE' } as const
const kept = 'skua.kept-1'

/** Three files of the log, two queues, and an index of several files. */
async function filled(at: World): Promise<{ places: RecordPlace[]; ends: Map<number, [number, number]> }> {
  const opened = await open(at)
  const ends = new Map<number, [number, number]>()
  for (let i = 0; i < 60; i++) {
    put(opened, message(i % 3 === 0 ? 'A' : 'B', 'x'.repeat(400 + i * 7), `KEYS\x01k${i} j${i}\x02`))
    ends.set(i, [opened.store.maxOffset('A', 0), opened.store.maxOffset('B', 0)])
  }
  const places: RecordPlace[] = []
  for (const file of opened.store.landmarks.files) places.push(...(await opened.store.landmarks.records(file)))
  assert.equal(places.length, 60)
  await at.clock.until(opened.store.stop())
  return { places, ends }
}

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const each of from) found.push(each)
  return found
}

async function whole({ store }: Opened): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let at = store.minPhysicalOffset; at < store.maxPhysicalOffset; at += parts.at(-1)!.length)
    parts.push(await store.readLog(at, 1_000_000))
  return Buffer.concat(parts)
}

const offsetsIn = async (at: World, root: string, from = 0): Promise<number[]> =>
  (await all(storedMessages(at.disk, root, {})))
    .map(({ physicalOffset }) => physicalOffset)
    .filter(offset => offset >= from)

/** The log ends at the cut, everything goes by it, what was behind it is kept, and the log grows again from there. */
async function check(
  at: World,
  before: Buffer,
  cut: { at: number; records: number; ends: [number, number] | undefined },
) {
  const slave = await open(at, slaveConfig, { bootId: 'next' })
  assert.equal(slave.store.maxPhysicalOffset, cut.at)
  const [a, b] = cut.ends ?? [0, 0]
  assert.deepEqual([slave.store.maxOffset('A', 0), slave.store.maxOffset('B', 0)], [a, b])
  assert.equal(slave.store.tailCut?.at, cut.at)
  slave.store.cutSettled()
  slave.store.appendReplicated(cut.at, before.subarray(cut.at, cut.at + 3000))
  slave.turn.run()
  await at.clock.advanceAsync(20_000)
  await at.clock.until(slave.store.stop())
  assert.deepEqual(await all(verifyStore(at.disk, '/store', { special })), [])
  const again = await open(at, slaveConfig, { bootId: 'next' })
  assert.ok(again.store.maxPhysicalOffset > cut.at || cut.at === before.length)
  assert.equal(again.store.tailCut, undefined)
  await at.clock.until(again.store.stop())
}

describe('the end of a log that its master has not', () => {
  for (const records of [0, 1, 17, 30, 31, 47, 59, 60])
    test(`is cut behind ${records} of 60 records, and kept as files that the tools read`, async () => {
      const at = world()
      const { places, ends } = await filled(at)
      const opened = await open(at)
      const before = await whole(opened)
      await at.clock.until(opened.store.stop())
      const cut = { at: places[records - 1]?.end ?? 0, records, ends: ends.get(records - 1) }
      orderTailCut(at.disk, layoutOf(smallConfig), { at: cut.at, kept })
      await check(at, before, cut)
      const tail = places.filter(({ begin }) => begin >= cut.at).map(({ begin }) => begin)
      assert.deepEqual(await offsetsIn(at, `/store/${kept}`, cut.at), tail)
    })

  test('is cut once, whatever power cuts come amid it', async () => {
    let isOver = false
    for (let calls = 1; !isOver; calls += 3) {
      const at = world()
      const { places, ends } = await filled(at)
      const opened = await open(at)
      const before = await whole(opened)
      await at.clock.until(opened.store.stop())
      const records = 20
      const cut = { at: places[records - 1]!.end, records, ends: ends.get(records - 1) }
      orderTailCut(at.disk, layoutOf(smallConfig), { at: cut.at, kept })
      const life = { alive: true }
      const mortal = dying(at.disk.forProcess(life), calls, () => {
        life.alive = false
      })
      await open(at, slaveConfig, { disk: mortal }).then(
        () => {
          isOver = true
        },
        () => {},
      )
      life.alive = false
      at.disk.powerCut(new SimRandom(calls))
      await check(at, before, cut)
      const tail = places.filter(({ begin }) => begin >= cut.at).map(({ begin }) => begin)
      assert.deepEqual(await offsetsIn(at, `/store/${kept}`, cut.at), tail)
    }
  })
})

describe('landmarks', () => {
  test('the last whole record is found in whatever file it is', async () => {
    const at = world()
    const { places } = await filled(at)
    const opened = await open(at, slaveConfig)
    assert.deepEqual(await opened.store.landmarks.last(), places.at(-1))
    const blank = await open(world())
    assert.equal(await blank.store.landmarks.last(), undefined)
  })
})

/** A disk whose process ends at the call of this number. */
function dying(disk: Disk, calls: number, end: () => void): Disk {
  let left = calls
  return new Proxy(disk, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (left-- === 0) end()
        return value.apply(target, args)
      }
    },
  })
}

test('a cut in a large file of a few messages does not take a look at each of its bytes', async t => {
  const root = mkdtempSync(join(tmpdir(), 'skua-cut-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const size = 256 * 1024 * 1024
  const disk = new NodeDisk()
  const files = new OpenFiles(disk, 4)
  const layout = layoutOf({ storePathRootDir: root, storePathCommitLog: '' })
  const segments = new Segments({ disk, files }, { directory: layout.commitLog, size })
  mkdirSync(layout.commitLog, { recursive: true })
  const log = join(layout.commitLog, '00000000000000000000')
  writeFileSync(log, 'kept and cut')
  truncateSync(log, size)
  segments.load({ crashed: false })
  const begun = performance.now()
  await setTailAside({ disk, events: noEvents, layout }, segments, { at: 5, kept })
  const tookMs = performance.now() - begun
  const head = (path: string) => readFileSync(path).subarray(0, 14).toString()
  assert.equal(head(log), 'kept \0\0\0\0\0\0\0\0\0')
  assert.equal(head(join(root, kept, 'commitlog', '00000000000000000000')), 'kept and cut\0\0')
  // One look at each byte took 4 s.
  assert.ok(tookMs < 1500, `${tookMs} ms`)
})
