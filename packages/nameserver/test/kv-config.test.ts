import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configFileDamaged, EventHub, noEvents, SimClock, SimDisk, SimRandom } from '@skua-mq/runtime'
import { KvConfig } from '../src/index.ts'

const path = '/ns/kvConfig.json'
const opened = (disk: SimDisk, events = noEvents as EventHub | typeof noEvents) => {
  const kv = new KvConfig({ disk, events, path })
  kv.load()
  return kv
}

test('what was put is found again after a restart, what was deleted is not', async () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  await kv.put('ORDER_TOPIC_CONFIG', 'T', 'b1:4')
  await kv.put('ORDER_TOPIC_CONFIG', 'U', 'b1:8')
  await kv.delete('ORDER_TOPIC_CONFIG', 'T')
  await kv.delete('ORDER_TOPIC_CONFIG', 'never there')
  const again = opened(disk)
  assert.equal(again.get('ORDER_TOPIC_CONFIG', 'T'), undefined)
  assert.equal(again.get('ORDER_TOPIC_CONFIG', 'U'), 'b1:8')
  assert.deepEqual(again.namespace('ORDER_TOPIC_CONFIG'), new Map([['U', 'b1:8']]))
  assert.equal(again.namespace('other'), undefined)
})

test("the file has Java's form", async () => {
  const disk = new SimDisk(new SimClock())
  await opened(disk).put('ORDER_TOPIC_CONFIG', 'topic', 'broker-a:4')
  assert.equal(disk.readFile(path).toString(), '{"configTable":{"ORDER_TOPIC_CONFIG":{"topic":"broker-a:4"}}}')
})

test('a damaged file falls back to the former generation with a warning, which a later change does not overwrite with the damaged one', async () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  await kv.put('n', 'k', 'one')
  await kv.put('n', 'k', 'two')
  disk.writeFile(path, Buffer.from('{"configTa'))
  const seen: string[] = []
  const events = new EventHub()
  events.subscribe(event => seen.push(event.name))
  const again = opened(disk, events)
  assert.equal(again.get('n', 'k'), 'one')
  assert.deepEqual(seen, [configFileDamaged.eventName])
  await again.put('n', 'k', 'three')
  assert.match(disk.readFile(`${path}.bak`).toString(), /one/)
  assert.equal(opened(disk).get('n', 'k'), 'three')
})

test('an empty file falls back too; when both generations are damaged the start fails', async () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  await kv.put('n', 'k', 'one')
  await kv.put('n', 'k', 'two')
  disk.writeFile(path, new Uint8Array(0))
  assert.equal(opened(disk).get('n', 'k'), 'one')
  disk.writeFile(`${path}.bak`, Buffer.from('nonsense'))
  assert.throws(() => opened(disk), { code: 'ECONFIG' })
})

test('a change that cannot be written is refused and not kept in memory', async () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  await kv.put('n', 'k', 'one')
  const lift = disk.faults.fail({ on: 'sync', code: 'EIO' })
  await assert.rejects(kv.put('n', 'k', 'two'), { code: 'EIO' })
  assert.equal(kv.get('n', 'k'), 'one')
  lift()
  assert.equal(opened(disk).get('n', 'k'), 'one')
})

test('a power cut at any moment of a change leaves the value before it or the value after it', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new SimDisk(new SimClock())
    const random = new SimRandom(seed)
    const kv = opened(disk)
    await kv.put('n', 'k', 'one')
    const on = (['write', 'sync', 'names', 'open'] as const)[random.int(4)]!
    disk.faults.fail({ on, code: 'EIO', skip: random.int(4) })
    let failed = false
    try {
      await kv.put('n', 'k', 'two')
    } catch {
      failed = true
    }
    disk.faults.clear()
    disk.powerCut(random)
    const value = opened(disk).get('n', 'k')
    assert.ok(value === 'two' || (failed && value === 'one'), `seed ${seed}: ${value}, failed: ${failed}`)
  }
})

test('changes that come together are saved together, in their order', async () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  let syncs = 0
  const { syncDirectoryLater } = disk
  disk.syncDirectoryLater = path => {
    syncs++
    return syncDirectoryLater.call(disk, path)
  }
  await Promise.all([
    ...Array.from({ length: 50 }, (_, i) => kv.put('n', `k${i}`, 'one')),
    kv.delete('n', 'k3'),
    kv.put('n', 'k4', 'two'),
  ])
  assert.equal(syncs, 1)
  assert.equal(opened(disk).namespace('n')?.size, 49)
  assert.equal(opened(disk).get('n', 'k4'), 'two')
})

test('the table has a size, which holds for changes on their way, too', async () => {
  const kv = new KvConfig({ disk: new SimDisk(new SimClock()), events: noEvents, path, maxBytes: 1000 })
  await kv.put('n', 'k', 'v'.repeat(500))
  const rest = await Promise.allSettled([kv.put('n', 'a', 'v'.repeat(400)), kv.put('n', 'b', 'v'.repeat(400))])
  assert.deepEqual(
    rest.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  await assert.rejects(kv.put('n', 'b', 'v'.repeat(400)), /maxKvBytes is 1000/)
  // The same key again takes the place of what it held.
  await kv.put('n', 'k', 'w'.repeat(500))
  await kv.delete('n', 'k')
  await kv.put('n', 'b', 'v'.repeat(400))
})

test('a key that is deleted while it is being written is gone', async () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  const putting = kv.put('n', 'k', 'v')
  await Promise.resolve()
  await Promise.resolve()
  await Promise.all([putting, kv.delete('n', 'k')])
  assert.equal(kv.get('n', 'k'), undefined)
  assert.equal(opened(disk).get('n', 'k'), undefined)
})

test('what waits behind a change that is being written is counted, also when that one is done', async () => {
  const kv = new KvConfig({ disk: new SimDisk(new SimClock()), events: noEvents, path, maxBytes: 1000 })
  const first = kv.put('n', 'first', '1')
  // The first is being written; this one waits for it.
  await Promise.resolve()
  await Promise.resolve()
  const second = kv.put('n', 'second', 'x'.repeat(900))
  await first
  await assert.rejects(kv.put('n', 'third', 'x'.repeat(900)), RangeError)
  await second
  assert.equal(kv.get('n', 'second')?.length, 900)
})
