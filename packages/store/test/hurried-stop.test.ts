import assert from 'node:assert/strict'
import test from 'node:test'
import { SimRandom } from '@skua-mq/runtime'
import {
  layoutOf,
  orderTailCut,
  queuesLeftUnsynced,
  queuesRebuilt,
  recoveryBegan,
  type StoreConfig,
} from '../src/index.ts'
import { readCheckpoint } from '../src/recovery/checkpoint.ts'
import { drain, message, type Opened, open, put, smallConfig, type World, world } from './harness.ts'

/** No time at all to sync queues at a stop. */
const hurried: StoreConfig = { ...smallConfig, queueSyncAtStopMs: 0 }

const topics = ['A', 'B', 'C']

/** Events by name, as they come. */
function said(at: World) {
  const events: { name: string; fields: Readonly<Record<string, unknown>> }[] = []
  at.events.subscribe(({ name, fields }) => events.push({ name, fields }))
  return (name: string) => events.filter(event => event.name === name).map(({ fields }) => fields)
}

async function filled(at: World, opened: Opened, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) {
    put(opened, message(topics[i % 3]!, `message ${i} ${'x'.repeat(100)}`, `KEYS\x01k${i}`))
    if (i % 50 === 0) await at.clock.advanceAsync(1500)
  }
}

async function check({ store, turn }: Opened, count: number): Promise<void> {
  for (const [nth, topic] of topics.entries()) {
    const numbers = (await drain({ store, turn }, topic)).map(body => Number(body.split(' ')[1]))
    assert.deepEqual(
      numbers,
      Array.from({ length: count }, (_, i) => i).filter(i => i % 3 === nth),
    )
  }
  for (let i = 0; i < count; i++) {
    const query = { topic: topics[i % 3]!, key: `k${i}`, maxCount: 9, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
    assert.ok((await store.query(query)).physicalOffsets.length >= 1, `key k${i}`)
  }
}

test('a stop takes no longer for its queues than queueSyncAtStopMs and the syncs under way', async () => {
  const at = world()
  const opened = await open(at)
  for (let i = 0; i < 400; i++) put(opened, message(`T${i}`, 'x'))
  at.disk.faults.slow({ on: 'sync', ms: 100, path: 'consumequeue' })
  const events = said(at)
  const begunMs = at.clock.monotonic()
  await at.clock.until(opened.store.stop())
  const tookMs = at.clock.monotonic() - begunMs
  assert.ok(tookMs >= 1000 && tookMs <= 1100, `${tookMs} ms`)
  assert.deepEqual(events(queuesLeftUnsynced.eventName), [{ files: 360, ms: 1000 }])
})

test('the sync that is under way when a stop begins ends with its time, too', async () => {
  const at = world()
  const opened = await open(at)
  for (let i = 0; i < 400; i++) put(opened, message(`T${i}`, 'x'))
  at.disk.faults.slow({ on: 'sync', ms: 5000, path: 'consumequeue' })
  await at.clock.advanceAsync(62_000)
  const begunMs = at.clock.monotonic()
  await at.clock.until(opened.store.stop())
  assert.ok(at.clock.monotonic() - begunMs <= 6000)
})

test('a start in the same life of the machine reads no record again, and says what it found', async () => {
  const at = world()
  const first = await open(at, hurried)
  await filled(at, first, 300)
  await at.clock.until(first.store.stop())
  assert.ok(at.disk.stat('/store/abort'), 'a Java broker would recover')
  const events = said(at)
  const second = await open(at, hurried)
  const [began] = events(recoveryBegan.eventName)
  assert.deepEqual([began?.reason, began?.from], ['stop before all was synced', second.store.maxPhysicalOffset])
  await check(second, 300)
  await at.clock.until(second.store.stop())
})

test('after a power cut all messages are there, however little of the queues is on the medium', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const at = world()
    const first = await open(at, hurried)
    // In some of them a thorough round lies before.
    await filled(at, first, 100)
    if (seed % 2 === 0) await at.clock.advanceAsync(120_000)
    await filled(at, first, 100, 100)
    await at.clock.until(first.store.stop())
    at.disk.powerCut(new SimRandom(seed))
    const second = await open(at, hurried, { bootId: 'next' })
    await check(second, 200)
    await at.clock.until(second.store.stop())
  }
})

test('what is damaged in the log afterwards is no torn end: what lies behind it stays, after a power cut, too', async () => {
  for (const bootId of ['boot', 'next']) {
    const at = world()
    const first = await open(at, hurried)
    await filled(at, first, 300)
    const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
    first.store.queue('B', 0)!.entries(90, entry)
    await at.clock.until(first.store.stop())
    if (bootId === 'next') at.disk.powerCut(new SimRandom(1))
    const { physicalOffset } = entry[0]!
    const base = physicalOffset - (physicalOffset % smallConfig.mappedFileSizeCommitLog)
    const file = at.disk.open(`/store/commitlog/${String(base).padStart(20, '0')}`, 'write')
    file.writeSync(Buffer.alloc(100, 1), 0, 100, physicalOffset - base)
    file.syncDataSync()
    file.closeSync()
    at.disk.remove('/store/consumequeue')
    const second = await open(at, hurried, { bootId })
    assert.equal((await drain(second, 'C')).length, 100, bootId)
    await at.clock.until(second.store.stop())
  }
})

test('the checkpoint says of log and index what is on the medium, and of queues what was', async () => {
  const at = world()
  const first = await open(at, hurried)
  await filled(at, first, 100)
  await at.clock.advanceAsync(120_000)
  const before = readCheckpoint(at.disk, '/store/checkpoint')
  await filled(at, first, 200, 100)
  const nowMs = at.clock.now()
  put(first, message('A', 'last', 'KEYS\x01last'))
  await at.clock.until(first.store.stop())
  const after = readCheckpoint(at.disk, '/store/checkpoint')
  assert.deepEqual(after, { physicMsgAtMs: nowMs, logicsMsgAtMs: before.logicsMsgAtMs, indexMsgAtMs: nowMs })
  assert.ok(before.logicsMsgAtMs > 0 && before.logicsMsgAtMs < nowMs)
})

test('a slave’s log that is cut after such a stop does not have its queues made again', async () => {
  for (const bootId of ['boot', 'next']) {
    const at = world()
    const first = await open(at, hurried)
    await filled(at, first, 60)
    const end = first.store.maxPhysicalOffset
    await filled(at, first, 60, 60)
    await at.clock.until(first.store.stop())
    orderTailCut(at.disk, layoutOf(smallConfig), { at: end, kept: 'skua.kept-1' })
    const events = said(at)
    const second = await open(at, { ...hurried, brokerRole: 'SLAVE' }, { bootId })
    // Another life of the machine: nothing of the queues is believed.
    assert.equal(events(queuesRebuilt.eventName).length, bootId === 'boot' ? 0 : 1)
    assert.equal(second.store.maxPhysicalOffset, end)
    await check(second, 60)
    await at.clock.until(second.store.stop())
  }
})
