import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimRandom } from '@skua-mq/runtime'
import type { StoreConfig } from '../src/index.ts'
import { unpackFixture } from './fixture.ts'
import { drain, message, type Opened, open, put, smallConfig, type World, world } from './harness.ts'

const count = 400
const topics = ['A', 'B']

const extended = { enableConsumeQueueExt: true, mappedFileSizeConsumeQueueExt: 1024 }

type Ending = (at: World, opened: Opened) => Promise<void>

const stopped: Ending = async (at, { store }) => {
  await at.clock.until(store.stop())
}

/** A store without time to sync its queues at a stop. */
const hurried: StoreConfig = { ...smallConfig, queueSyncAtStopMs: 0 }

const endings: Record<string, Ending> = {
  'a clean stop': stopped,
  'a kill': async (at: World) => {
    await at.clock.advanceAsync(0)
  },
  'a power cut': async (at: World, { store }: Opened) => {
    // All is synced: what is lost afterwards was lost by somebody else.
    await at.clock.advanceAsync(120_000)
    at.disk.powerCut(new SimRandom(1))
    void store
  },
  'a stop before queues were synced': stopped,
}

const files = (at: World, directory: string) => at.disk.list(directory).map(name => `${directory}/${name}`)

function cut(at: World, path: string, length: number): void {
  const file = at.disk.open(path, 'write')
  file.truncateSync(length)
  file.syncDataSync()
  file.closeSync()
}

function zero(at: World, path: string): void {
  const { size } = at.disk.stat(path)!
  cut(at, path, 0)
  cut(at, path, size)
}

const first = (at: World, directory: string) => files(at, directory)[0]!
const last = (at: World, directory: string) => files(at, directory).at(-1)!
const middle = (at: World, directory: string) => files(at, directory)[1]!

const losses: Record<string, (at: World) => void> = {
  'all queues': at => at.disk.remove('/store/consumequeue'),
  'a topic': at => at.disk.remove('/store/consumequeue/A'),
  'a queue': at => at.disk.remove('/store/consumequeue/A/0'),
  'the files of a queue': at => {
    for (const path of files(at, '/store/consumequeue/A/0')) at.disk.remove(path)
  },
  'the first file of a queue': at => at.disk.remove(first(at, '/store/consumequeue/A/0')),
  'a file in the middle of a queue': at => at.disk.remove(middle(at, '/store/consumequeue/A/0')),
  'the last file of a queue': at => at.disk.remove(last(at, '/store/consumequeue/A/0')),
  'the first file of a queue cut': at => cut(at, first(at, '/store/consumequeue/A/0'), 100),
  'the last file of a queue cut': at => cut(at, last(at, '/store/consumequeue/A/0'), 20),
  'the first file of a queue zeros': at => zero(at, first(at, '/store/consumequeue/A/0')),
  'a file in the middle zeros': at => zero(at, middle(at, '/store/consumequeue/A/0')),
  'the last file of a queue zeros': at => zero(at, last(at, '/store/consumequeue/A/0')),
  'all of the index': at => at.disk.remove('/store/index'),
  'the first file of the index': at => at.disk.remove(first(at, '/store/index')),
  'a file in the middle of the index': at => at.disk.remove(middle(at, '/store/index')),
  'the last file of the index': at => at.disk.remove(last(at, '/store/index')),
  'the first file of the index cut': at => cut(at, first(at, '/store/index'), 500),
  'the last file of the index cut': at => cut(at, last(at, '/store/index'), 300),
  'a file of the index zeros': at => zero(at, middle(at, '/store/index')),
  'all extended units': at => at.disk.remove('/store/consumequeue_ext'),
  'the dispatch points': at => at.disk.remove('/store/skua.dispatch'),
  'the checkpoint': at => at.disk.remove('/store/checkpoint'),
  'queues, index, and the points': at => {
    for (const name of ['consumequeue', 'index', 'skua.dispatch', 'checkpoint']) at.disk.remove(`/store/${name}`)
  },
  'queues and the points': at => {
    for (const name of ['consumequeue', 'skua.dispatch', 'checkpoint']) at.disk.remove(`/store/${name}`)
  },
}

/** Losses that cost nothing, so that nothing is said. */
const silent = new Set(['the dispatch points', 'the checkpoint'])

describe('what can be made again from the log is made again, and said', () => {
  for (const [ending, end] of Object.entries(endings))
    for (const [loss, lose] of Object.entries(losses))
      test(`${loss}, after ${ending}`, async () => {
        const base = ending.includes('before') ? hurried : smallConfig
        const config = loss.includes('extended') ? { ...base, ...extended } : base
        const at = world()
        const opened = await open(at, config)
        const expected = new Map(topics.map(topic => [topic, [] as string[]]))
        for (let i = 0; i < count; i++) {
          const topic = topics[i % 2]!
          put(opened, message(topic, `message ${i}`, `KEYS\x01k${i}\x02TAGS\x01t`))
          expected.get(topic)!.push(`message ${i}`)
          if (i % 50 === 0) await at.clock.advanceAsync(1500)
        }
        await at.clock.advanceAsync(3000)
        await end(at, opened)
        lose(at)
        const said: string[] = []
        at.events.subscribe(({ level, name }) => level !== 'debug' && said.push(name))
        const bootId = ending.includes('power cut') ? 'next boot' : 'boot'
        const again = await open(at, config, { bootId })
        for (const topic of topics) assert.deepEqual(await drain(again, topic), expected.get(topic), topic)
        for (let i = 0; i < count; i++) {
          const query = { topic: topics[i % 2]!, key: `k${i}`, maxCount: 9, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
          assert.equal((await again.store.query(query)).physicalOffsets.length, 1, `key k${i}`)
        }
        if (!silent.has(loss)) assert.match(said.join(), /rebuilt|discarded|recovery began/)
        // New messages go on behind the old ones.
        assert.equal(put(again, message('A', 'new'))[0]?.queueOffset, count / 2)
        await at.clock.until(again.store.stop())
        const third = await open(at, config, { bootId })
        assert.deepEqual(await drain(third, 'A'), [...expected.get('A')!, 'new'])
        await at.clock.until(third.store.stop())
      })
})

test('a log file that was cut below what was synced: what is lost is said with offsets and count, nothing torn is delivered', async () => {
  const at = world()
  const opened = await open(at)
  for (let i = 0; i < 100; i++) put(opened, message('A', `message ${i} ${'x'.repeat(50)}`, 'TAGS\x01t'))
  await at.clock.advanceAsync(120_000)
  const path = last(at, '/store/commitlog')
  const base = Number(path.slice(-20))
  const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  const queue = opened.store.queue('A', 0)!
  // In the middle of the body of the fifth message from the end.
  queue.entries(95, entry)
  const { physicalOffset } = entry[0]!
  cut(at, path, physicalOffset + 110 - base)
  const events: { name: string; fields: Readonly<Record<string, unknown>> }[] = []
  at.events.subscribe(event => events.push(event))
  const again = await open(at)
  const lost = events.find(({ name }) => name.includes('are lost'))
  assert.deepEqual([lost?.fields['from'], lost?.fields['messages']], [physicalOffset, 5])
  const bodies = await drain(again, 'A')
  assert.equal(bodies.length, 95)
  assert.ok(bodies.every(body => body.endsWith('x'.repeat(50))))
  // Offsets are not used twice.
  assert.equal(put(again, message('A', 'new'))[0]?.queueOffset, 100)
  assert.deepEqual((await drain(again, 'A')).slice(94), [bodies[94], 'new'])
})

test('a message that is damaged in the log is left out of what is read, and named once', async () => {
  const at = world()
  const opened = await open(at, { ...smallConfig, logRingBytes: 4096, logChunkBytes: 1024, logReadBytes: 0 })
  for (let i = 0; i < 100; i++) put(opened, message('A', `message ${i}`))
  const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  opened.store.queue('A', 0)!.entries(3, entry)
  const file = at.disk.open(first(at, '/store/commitlog'), 'write')
  file.writeSync(Buffer.alloc(60), 0, 60, entry[0]!.physicalOffset)
  const named: unknown[] = []
  at.events.subscribe(({ name, fields }) => name.includes('damaged') && named.push(fields['offset']))
  for (let round = 0; round < 2; round++) assert.equal((await at.clock.until(drain(opened, 'A'))).length, 99)
  assert.deepEqual(named, [entry[0]!.physicalOffset])
})

describe('a queue whose messages are all deleted goes on with its offsets when queues are rebuilt', () => {
  const zeros = (at: World, path: string, place: { from: number; length: number }) => {
    const file = at.disk.open(path, 'write')
    file.writeSync(new Uint8Array(place.length), 0, place.length, place.from)
    file.syncDataSync()
    file.closeSync()
  }
  const anotherLost = (at: World) => at.disk.remove('/store/consumequeue/A/0')
  const pointsLost = (at: World) => {
    at.disk.remove('/store/skua.dispatch')
    at.disk.remove('/store/checkpoint')
  }
  // What a power cut may do to units that were not synced.
  const tornUnit = (at: World) =>
    zeros(at, '/store/consumequeue/Gone/0/00000000000000000000', { from: 19 * 20, length: 20 })
  const tornLog = (at: World, from: number) =>
    zeros(at, last(at, '/store/commitlog'), { from: from % 16_384, length: 600 })
  const rebuilds: { why: string; later: number; found: number; lose: (at: World, end: number) => void }[] = [
    { why: 'another queue was lost', later: 0, found: 0, lose: anotherLost },
    { why: 'another queue was lost, and there are newer messages', later: 5, found: 5, lose: anotherLost },
    {
      why: 'the last unit of a full file was not on the medium',
      ...{ later: 5, found: 5 },
      lose: at => [tornUnit, pointsLost].map(lose => lose(at)),
    },
    {
      why: 'neither that unit nor the newer messages were on the medium',
      ...{ later: 5, found: 0 },
      lose: (at, end) => [tornUnit, pointsLost, tornLog].map(lose => lose(at, end)),
    },
  ]
  for (const { why, later, found, lose } of rebuilds) {
    test(why, async () => {
      const at = world()
      const opened = await open(at, smallConfig)
      for (let i = 0; i < 18; i++) put(opened, message('Gone', `gone ${i}`))
      for (let i = 0; i < 300; i++) put(opened, message('A', `message ${i} ${'b'.repeat(200)}`))
      await at.clock.advanceAsync(60_000)
      at.clock.step(100 * 3_600_000)
      opened.store.deleteExpired()
      await at.clock.advanceAsync(120_000)
      assert.equal(opened.store.minOffset('Gone', 0), 18)
      const end = opened.store.maxPhysicalOffset
      for (let i = 0; i < later; i++) put(opened, message('Gone', `later ${i}`))
      await at.clock.advanceAsync(120_000)
      at.disk.powerCut(new SimRandom(1))
      lose(at, end)
      const again = await open(at, smallConfig, { bootId: 'another boot' })
      assert.deepEqual([again.store.minOffset('Gone', 0), again.store.maxOffset('Gone', 0)], [18, 18 + found])
      assert.equal((await drain(again, 'Gone')).length, found)
    })
  }
})

test('a store that was stopped empty, then filled, notices that its queues are lost', async () => {
  const at = world()
  const first = await open(at)
  await at.clock.advanceAsync(1000)
  await at.clock.until(first.store.stop())
  const second = await open(at)
  for (let i = 0; i < 3; i++) put(second, message('A', String(i), `KEYS\x01${i}`))
  await at.clock.until(second.store.stop())
  at.disk.remove('/store/consumequeue')
  const third = await open(at)
  assert.deepEqual(await drain(third, 'A', 0), ['0', '1', '2'])
  await at.clock.until(third.store.stop())
})

describe('a commit log that somebody has taken away', () => {
  for (const [ending, end] of Object.entries(endings)) {
    const filled = async () => {
      const at = world()
      const opened = await open(at)
      for (let i = 0; i < count; i++) put(opened, message('A', `message ${i}`))
      await at.clock.advanceAsync(3000)
      await end(at, opened)
      return { at, bootId: ending === 'a power cut' ? 'next boot' : 'boot' }
    }

    test(`as a whole, after ${ending}: the start is refused and changes nothing, until it is there again`, async () => {
      const { at, bootId } = await filled()
      at.disk.rename('/store/commitlog', '/elsewhere')
      for (let again = 0; again < 2; again++)
        await assert.rejects(open(at, smallConfig, { bootId }), /has no file of the commit log.* is its disk not there/)
      at.disk.remove('/store/commitlog')
      at.disk.rename('/elsewhere', '/store/commitlog')
      const again = await open(at, smallConfig, { bootId })
      assert.equal((await drain(again, 'A')).length, count)
      await at.clock.until(again.store.stop())
    })

    test(`its last files, after ${ending}: what is lost is said, with how much it is`, async () => {
      const { at, bootId } = await filled()
      const [kept, ...gone] = files(at, '/store/commitlog')
      assert.ok(gone.length > 1, kept)
      for (const path of gone) at.disk.remove(path)
      const said: { name: string; fields: Readonly<Record<string, unknown>> }[] = []
      at.events.subscribe(event => event.level === 'error' && said.push(event))
      const again = await open(at, smallConfig, { bootId })
      const left = (await drain(again, 'A')).length
      assert.deepEqual(
        said.map(({ name, fields }) => [name, fields['messages']]),
        [['the last files of the commit log are missing: messages that were on the disk are lost', count - left]],
      )
      await at.clock.until(again.store.stop())
      // Once.
      const third = await open(at, smallConfig, { bootId })
      assert.equal(said.length, 1)
      await at.clock.until(third.store.stop())
    })

    test(`as a whole, after ${ending}, with the points: the queues tell it, and an empty log begins where they are removed`, async () => {
      const { at, bootId } = await filled()
      for (const gone of ['commitlog', 'skua.dispatch', 'checkpoint']) at.disk.remove(`/store/${gone}`)
      const queue = files(at, '/store/consumequeue/A/0')
      await assert.rejects(open(at, smallConfig, { bootId }), /has no file of the commit log/)
      assert.deepEqual(files(at, '/store/consumequeue/A/0'), queue)
      at.disk.remove('/store/consumequeue')
      const again = await open(at, smallConfig, { bootId })
      assert.equal(put(again, message('A', 'new'))[0]?.queueOffset, 0)
      await at.clock.until(again.store.stop())
    })
  }

  test('or whose only file a power cut has left empty is not taken away: the store starts, and queues go on', async () => {
    const at = world()
    const opened = await open(at)
    for (let i = 0; i < 3; i++) put(opened, message('A', `message ${i}`))
    await at.clock.advanceAsync(1500)
    await endings['a kill']!(at, opened)
    const [path, ...others] = files(at, '/store/commitlog')
    assert.deepEqual(others, [])
    at.disk.writeFile(path!, Buffer.alloc(0))
    const again = await open(at, smallConfig, { bootId: 'next boot' })
    assert.deepEqual(await drain(again, 'A'), [])
    put(again, message('A', 'new'))
    assert.deepEqual(await drain(again, 'A'), ['new'])
    await at.clock.until(again.store.stop())
    const third = await open(at)
    assert.deepEqual(await drain(third, 'A'), ['new'])
    await at.clock.until(third.store.stop())
  })

  test('its first files: it is said where the log began and begins, once; what retention deletes is not said', async () => {
    const at = world()
    const opened = await open(at)
    for (let i = 0; i < count; i++) put(opened, message('A', `message ${i}`))
    await at.clock.advanceAsync(120_000)
    at.clock.step(100 * 3_600_000)
    put(opened, message('A', 'x'.repeat(16_000)))
    opened.store.deleteExpired()
    await at.clock.advanceAsync(120_000)
    const begin = opened.store.minPhysicalOffset
    assert.ok(begin > 0)
    for (let i = 0; i < count; i++) put(opened, message('A', `message ${i}`))
    await at.clock.until(opened.store.stop())
    const said: Readonly<Record<string, unknown>>[] = []
    at.events.subscribe(event => event.name.startsWith('the first files of the commit log') && said.push(event.fields))
    await at.clock.until((await open(at)).store.stop())
    assert.deepEqual(said, [])
    at.disk.remove(first(at, '/store/commitlog'))
    for (let again = 0; again < 2; again++) await at.clock.until((await open(at)).store.stop())
    assert.deepEqual(said, [{ from: begin, to: begin + smallConfig.mappedFileSizeCommitLog }])
  })

  test('whose files are in another place than the options say, of a Java broker: its queues stay', async () => {
    for (const name of ['store-4.9.7-clean', 'store-5.3.3-clean']) {
      const at = world()
      unpackFixture(name, at.disk, '/store')
      at.disk.rename('/store/commitlog', '/elsewhere')
      const queues = at.disk.list('/store/consumequeue')
      assert.ok(queues.length > 0)
      await assert.rejects(open(at), /storePathCommitLog/)
      assert.deepEqual(at.disk.list('/store/consumequeue'), queues)
    }
  })
})
