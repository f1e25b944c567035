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

test('what was put is found again after a restart, what was deleted is not', () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  kv.put('ORDER_TOPIC_CONFIG', 'T', 'b1:4')
  kv.put('ORDER_TOPIC_CONFIG', 'U', 'b1:8')
  kv.delete('ORDER_TOPIC_CONFIG', 'T')
  kv.delete('ORDER_TOPIC_CONFIG', 'never there')
  const again = opened(disk)
  assert.equal(again.get('ORDER_TOPIC_CONFIG', 'T'), undefined)
  assert.equal(again.get('ORDER_TOPIC_CONFIG', 'U'), 'b1:8')
  assert.deepEqual(again.namespace('ORDER_TOPIC_CONFIG'), new Map([['U', 'b1:8']]))
  assert.equal(again.namespace('other'), undefined)
})

test("the file has Java's form", () => {
  const disk = new SimDisk(new SimClock())
  opened(disk).put('ORDER_TOPIC_CONFIG', 'topic', 'broker-a:4')
  assert.equal(disk.readFile(path).toString(), '{"configTable":{"ORDER_TOPIC_CONFIG":{"topic":"broker-a:4"}}}')
})

test('a damaged file falls back to the former generation with a warning, which a later change does not overwrite with the damaged one', () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  kv.put('n', 'k', 'one')
  kv.put('n', 'k', 'two')
  disk.writeFile(path, Buffer.from('{"configTa'))
  const seen: string[] = []
  const events = new EventHub()
  events.subscribe(event => seen.push(event.name))
  const again = opened(disk, events)
  assert.equal(again.get('n', 'k'), 'one')
  assert.deepEqual(seen, [configFileDamaged.eventName])
  again.put('n', 'k', 'three')
  assert.match(disk.readFile(`${path}.bak`).toString(), /one/)
  assert.equal(opened(disk).get('n', 'k'), 'three')
})

test('an empty file falls back too; when both generations are damaged the start fails', () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  kv.put('n', 'k', 'one')
  kv.put('n', 'k', 'two')
  disk.writeFile(path, new Uint8Array(0))
  assert.equal(opened(disk).get('n', 'k'), 'one')
  disk.writeFile(`${path}.bak`, Buffer.from('nonsense'))
  assert.throws(() => opened(disk), { code: 'ECONFIG' })
})

test('a change that cannot be written is refused and not kept in memory', () => {
  const disk = new SimDisk(new SimClock())
  const kv = opened(disk)
  kv.put('n', 'k', 'one')
  const lift = disk.faults.fail({ on: 'sync', code: 'EIO' })
  assert.throws(() => kv.put('n', 'k', 'two'), { code: 'EIO' })
  assert.equal(kv.get('n', 'k'), 'one')
  lift()
  assert.equal(opened(disk).get('n', 'k'), 'one')
})

test('a power cut at any moment of a change leaves the value before it or the value after it', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new SimDisk(new SimClock())
    const random = new SimRandom(seed)
    const kv = opened(disk)
    kv.put('n', 'k', 'one')
    const on = (['write', 'sync', 'names', 'open'] as const)[random.int(4)]!
    disk.faults.fail({ on, code: 'EIO', skip: random.int(4) })
    let failed = false
    try {
      kv.put('n', 'k', 'two')
    } catch {
      failed = true
    }
    disk.faults.clear()
    disk.powerCut(random)
    const value = opened(disk).get('n', 'k')
    assert.ok(value === 'two' || (failed && value === 'one'), `seed ${seed}: ${value}, failed: ${failed}`)
  }
})
