import assert from 'node:assert/strict'
import test from 'node:test'
import { type Disk, type DiskFile, SimRandom } from '@skua-mq/runtime'
import fc from 'fast-check'
import type { MessageQueue } from '../src/index.ts'
import {
  draftOf,
  drain,
  get,
  message,
  type Opened,
  Outcomes,
  open,
  put,
  smallConfig,
  type World,
  world,
} from './harness.ts'

const slaveConfig = { ...smallConfig, brokerRole: 'SLAVE' } as const
const masterConfig = smallConfig

/** Gives the slave what it lacks, in frames of a size, up to so many bytes. */
async function ship(from: Opened, to: Opened, { frame, most }: { frame: number; most: number }): Promise<void> {
  const begin = to.store.maxPhysicalOffset
  for (let at = begin; at < begin + most; ) {
    const bytes = await from.store.readLog(at, Math.min(frame, begin + most - at))
    if (bytes.length === 0) return
    to.store.appendReplicated(at, bytes)
    at += bytes.length
  }
  to.turn.run()
}

async function whole({ store }: Opened): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let at = store.minPhysicalOffset; at < store.maxPhysicalOffset; ) {
    const bytes = await store.readLog(at, 1_000_000)
    parts.push(bytes)
    at += bytes.length
  }
  return Buffer.concat(parts)
}

function entriesOf(queue: MessageQueue): unknown[] {
  const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  const all: unknown[] = []
  for (let at = queue.minOffset; at < queue.maxOffset; at++) {
    assert.equal(queue.entries(at, entry), 1)
    all.push({ ...entry[0] })
  }
  return all
}

async function assertEqual(master: Opened, slave: Opened): Promise<void> {
  assert.ok((await whole(slave)).equals(await whole(master)), 'the logs are the same')
  const queues = [...master.store.queues()]
  assert.equal([...slave.store.queues()].length, queues.length)
  for (const queue of queues) {
    const own = slave.store.queue(queue.topic, queue.queueId)
    assert.ok(own !== undefined, `${queue.topic} ${queue.queueId}`)
    assert.equal(own.maxOffset, queue.maxOffset)
    assert.deepEqual(entriesOf(own), entriesOf(queue))
    if (queue.maxOffset > 0) {
      const key = { topic: queue.topic, key: `${queue.maxOffset - 1}`, maxCount: 64, beginMs: 0, endMs: 4e12 }
      const found = async ({ store }: Opened) => (await store.query(key)).physicalOffsets
      assert.deepEqual(await found(slave), await found(master))
    }
  }
}

type Slave = Opened & { readonly bootId: string }

type Step =
  | { kind: 'put'; topic: string; queueId: number; bodyBytes: number; count: number }
  | { kind: 'batch'; count: number }
  | { kind: 'ship'; frame: number; most: number }
  | { kind: 'stop' }
  | { kind: 'kill' }
  | { kind: 'power cut'; seed: number }
  | { kind: 'wait'; ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      topic: fc.constantFrom('A', 'B', 'SCHEDULE_TOPIC_XXXX'),
      queueId: fc.integer({ min: 0, max: 2 }),
      bodyBytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 3000, max: 9000 })),
      count: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('batch' as const), count: fc.integer({ min: 1, max: 20 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('ship' as const),
      frame: fc.constantFrom(1, 7, 100, 1000, 32_768),
      most: fc.integer({ min: 1, max: 20_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'stop' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('power cut' as const), seed: fc.integer({ min: 1, max: 1e9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 70_000 }) }) },
)

function putAll(master: Opened, { topic, queueId, bodyBytes, count }: Step & { kind: 'put' }): void {
  for (let i = 0; i < count; i++) {
    const offset = master.store.maxOffset(topic, queueId)
    const delay = topic.startsWith('SCHEDULE') ? `\x02DELAY\x01${queueId + 1}` : ''
    const properties = `KEYS\x01${offset}\x02TAGS\x01t${offset % 3}${delay}`
    const body = Buffer.alloc(bodyBytes, offset + 1)
    assert.equal(put(master, { topic, queueId, body, properties })[0]?.status, 'ok')
  }
}

function batch(master: Opened, count: number): void {
  const one = Buffer.alloc(22 + 5 + 4)
  one.writeInt32BE(one.length, 0)
  one.writeInt32BE(5, 16)
  one.write('batch', 20)
  one.writeInt16BE(4, 25)
  one.write('a\x01b\x02', 27)
  const outcomes = new Outcomes()
  const draft = draftOf(message('A', '', 'TAGS\x01all\x02'))
  draft.body = Buffer.concat(Array(count).fill(one))
  draft.bodyEnd = draft.body.length
  master.store.appendBatch(draft, outcomes)
  master.turn.run()
  assert.equal(outcomes.all[0]?.status, 'ok')
}

/** The slave goes, cleanly or not, and comes again. */
async function again(at: World, slave: Slave, life: { alive: boolean }, how: Step) {
  if (how.kind === 'stop') await at.clock.until(slave.store.stop())
  else life.alive = false
  if (how.kind === 'power cut') at.disk.powerCut(new SimRandom(how.seed))
  const next = { alive: true }
  const bootId = how.kind === 'power cut' ? `boot ${how.seed}` : slave.bootId
  return { slave: { ...(await open(at, slaveConfig, { bootId, disk: at.disk.forProcess(next) })), bootId }, life: next }
}

test('a slave that gets the log in pieces of any size, and is stopped and killed at any place, equals its master', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      const [here, there] = [world(), world()]
      const master = await open(here, masterConfig)
      let life = { alive: true }
      let slave: Slave = { ...(await open(there, slaveConfig, { disk: there.disk.forProcess(life) })), bootId: 'boot' }
      for (const each of steps) {
        if (each.kind === 'put') putAll(master, each)
        else if (each.kind === 'batch') batch(master, each.count)
        else if (each.kind === 'ship') await ship(master, slave, each)
        else if (each.kind === 'wait') await there.clock.advanceAsync(each.ms)
        else ({ slave, life } = await again(there, slave, life, each))
      }
      await ship(master, slave, { frame: 32_768, most: Number.POSITIVE_INFINITY })
      await assertEqual(master, slave)
      ;({ slave, life } = await again(there, slave, life, { kind: 'stop' }))
      await assertEqual(master, slave)
    }),
    {
      numRuns: Number(process.env.SKUA_REPLICA_RUNS ?? 60),
      // A sector that ends in a header, and has it only up to the place where two pieces met.
      examples: [
        [
          [
            { kind: 'batch', count: 5 },
            { kind: 'ship', frame: 100, most: 550 },
            { kind: 'power cut', seed: 114_528_951 },
          ],
        ],
      ],
    },
  )
})

test('a slave that begins with the last file has empty places for the messages before', async () => {
  const [here, there] = [world(), world()]
  const master = await open(here, masterConfig)
  const slave = await open(there, slaveConfig)
  for (let i = 0; i < 100; i++) put(master, message('A', 'x'.repeat(400)))
  const begin = master.store.maxPhysicalOffset - (master.store.maxPhysicalOffset % 16_384)
  assert.ok(begin > 0)
  slave.store.appendReplicated(begin, await master.store.readLog(begin, 1000))
  await ship(master, slave, { frame: 1000, most: Number.POSITIVE_INFINITY })
  const queue = slave.store.queue('A', 0)!
  assert.equal(queue.maxOffset, 100)
  assert.ok(queue.minOffset > 0)
  const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  queue.entries(queue.minOffset, entry)
  assert.ok(entry[0]!.physicalOffset >= begin)
  assert.equal(slave.store.minPhysicalOffset, begin)
})

test('bytes that do not follow are refused, and so are messages of its own', async () => {
  const slave = await open(world(), slaveConfig)
  slave.store.appendReplicated(0, Buffer.alloc(10))
  assert.throws(() => slave.store.appendReplicated(11, Buffer.alloc(1)), { code: 'EREPLICA' })
  assert.throws(() => slave.store.appendReplicated(9, Buffer.alloc(1)), /begin at 9, the log here ends at 10/)
  const [refused] = put(slave, message('A', 'x'))
  assert.equal(refused?.status, 'serviceNotAvailable')
  assert.match(refused?.remark ?? '', /SLAVE/)
})

for (const meanwhile of ['before', 'while'] as const) {
  test(`a slave shows nothing of the former life of a topic that was deleted and made again, read ${meanwhile} it was`, async () => {
    const there = world()
    const here = world()
    const master = await open(there, masterConfig)
    // Small memory, so that what is read comes from the files.
    const slave = await open(here, { ...slaveConfig, queueBlockBytes: 400, logRingBytes: 8192 })
    const all = { frame: 32_768, most: Number.POSITIVE_INFINITY }
    for (let i = 0; i < 300; i++) put(master, message('T', `old ${i}`))
    for (let i = 0; i < 300; i++) put(master, message('U', `other ${i}`))
    await ship(master, slave, all)
    await here.clock.advanceAsync(5000)
    if (meanwhile === 'while') here.disk.faults.slow({ on: 'read', ms: 50, path: 'consumequeue' })
    const reading = get(slave, { topic: 'T', offset: 0, maxCount: 5 })
    if (meanwhile === 'before') assert.equal((await here.clock.until(reading)).bodies[0], 'old 0')
    master.store.deleteTopic('T')
    for (let i = 0; i < 300; i++) put(master, message('T', `new ${i}`))
    for (let i = 0; i < 300; i++) put(master, message('U', `other ${i}`))
    await ship(master, slave, all)
    here.disk.faults.clear()
    await here.clock.until(reading)
    await here.clock.advanceAsync(5000)
    assert.equal((await here.clock.until(get(slave, { topic: 'T', offset: 0, maxCount: 5 }))).bodies[0], 'new 0')
  })
}

test('a slave whose disk keeps the files of a topic that begins anew loses none of its messages', async () => {
  for (const [code, config] of [
    ['EIO', slaveConfig],
    ['EMFILE', { ...slaveConfig, enableConsumeQueueExt: true }],
  ] as const) {
    const [here, there] = [world(), world()]
    const master = await open(there, masterConfig)
    const slave = await open(here, config)
    const all = { frame: 32_768, most: Number.POSITIVE_INFINITY }
    for (let i = 0; i < 30; i++) put(master, message('T', `old ${i}`))
    await ship(master, slave, all)
    await here.clock.advanceAsync(5000)
    master.store.deleteTopic('T')
    const expected = Array.from({ length: 30 }, (_, i) => `new ${i}`)
    for (const body of expected) put(master, message('T', body))
    here.disk.faults.fail({ on: 'names', code, path: 'consumequeue', times: 1 })
    for (;;) {
      try {
        await ship(master, slave, all)
        break
      } catch {
        // As the link does: it asks again for what comes behind the end of the log here.
        await here.clock.advanceAsync(5000)
      }
    }
    assert.deepEqual(await drain(slave, 'T'), expected)
    await here.clock.advanceAsync(5000)
    assert.equal(slave.store.queue('T', 0)?.maxOffset, 30)
    assert.equal(put(master, message('T', 'last'))[0]?.status, 'ok')
    await ship(master, slave, all)
    await here.clock.until(slave.store.stop())
    const later = await open(here, config)
    assert.deepEqual(await drain(later, 'T'), [...expected, 'last'])
  }
})

test('a slave that cannot write its queues takes no more than its memory is for, and goes on when it can', async () => {
  const [here, there] = [world(), world()]
  const master = await open(there, masterConfig)
  const slave = await open(here, { ...slaveConfig, queueBlockBytes: 20_000 })
  for (const path of ['consumequeue', 'index']) here.disk.faults.fail({ on: 'write', code: 'ENOSPC', path })
  for (let i = 0; i < 5000; i++) put(master, message('T', `message ${i}`, `KEYS\x01k${i}`))
  const all = { frame: 300, most: Number.POSITIVE_INFINITY }
  await assert.rejects(ship(master, slave, all), { code: 'EREPLICA' })
  assert.ok(slave.store.maxOffset('T', 0) < 2000, `${slave.store.maxOffset('T', 0)} messages`)
  here.disk.faults.clear()
  await here.clock.advanceAsync(5000)
  await ship(master, slave, all)
  await assertEqual(master, slave)
})

/** The disk, which notes what is written to files of the log: begin and end of each write. */
function noting(disk: Disk, writes: [number, number][]): Disk {
  const filed = (file: DiskFile, base: number): DiskFile =>
    new Proxy(file, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'writeSync') return value.bind(target)
        return (bytes: Uint8Array, from: number, to: number, at: number) => {
          writes.push([base + at, base + at + to - from])
          return target.writeSync(bytes, from, to, at)
        }
      },
    })
  return new Proxy(disk, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'open') return value.bind(target)
      return (...[path, mode]: Parameters<Disk['open']>) => {
        const file = target.open(path, mode)
        return path.includes('/commitlog/') ? filed(file, Number(path.slice(-20))) : file
      }
    },
  })
}

test('a record is written when it is whole, and in one write, however it came: a power cut leaves no sector of it half new', async () => {
  for (const frame of [1, 7, 100, 511, 1000, 32_768]) {
    const [here, there] = [world(), world()]
    const master = await open(there, masterConfig)
    const writes: [number, number][] = []
    const disk = noting(here.disk.forProcess({ alive: true }), writes)
    const slave = await open(here, { ...slaveConfig, logChunkBytes: 2048 }, { disk })
    for (let i = 0; i < 40; i++) put(master, message('T', 'x'.repeat((i * 331) % 5000)))
    await ship(master, slave, { frame, most: Number.POSITIVE_INFINITY })
    await assertEqual(master, slave)
    let records = 0
    for (const file of master.store.landmarks.files)
      for (const { begin, end } of await master.store.landmarks.records(file)) {
        const touching = writes.filter(([from, to]) => from < end && to > begin)
        assert.equal(touching.length, 1, `the record at ${begin} in frames of ${frame}`)
        assert.ok(touching[0]![0] <= begin && touching[0]![1] >= end, `the record at ${begin} in frames of ${frame}`)
        records++
      }
    assert.equal(records, 40)
    await here.clock.until(slave.store.stop())
  }
})
