import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Disk, SimTurn } from '@skua-mq/runtime'
import { readStoreDirectory, repairStore, storedMessages, verifyStore } from '../../src/index.ts'
import { expectedOf, unpackFixture } from '../fixture.ts'
import { factsOf, open, put, world } from '../harness.ts'

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const each of from) found.push(each)
  return found
}

function change(disk: Disk, path: string, edit: (bytes: Buffer) => void): void {
  const bytes = Buffer.from(disk.readFile(path))
  edit(bytes)
  disk.writeFile(path, bytes)
}

/** A closed store of 300 messages, some files long. */
async function store() {
  const at = world()
  const opened = await open(at)
  for (let i = 0; i < 300; i++) {
    const properties = `TAGS\u0001A\u0002KEYS\u0001k${i}\u0002UNIQ_KEY\u0001u${i}`
    put(opened, { topic: 'T', queueId: i % 3, body: Buffer.from(`body ${i}`), properties })
  }
  await at.clock.until(opened.store.stop())
  const repair = (options: { dryRun?: boolean } = {}, pid = 1) => {
    const needs = { ...at, turn: new SimTurn(), facts: factsOf('boot', pid) }
    return at.clock.until(repairStore('/store', needs, { keptName: 'kept', ...options }))
  }
  const bodies = async () =>
    (await all(storedMessages(at.disk, '/store'))).map(each => Buffer.from(each.body).toString())
  return { at, repair, bodies }
}

describe('repair', () => {
  test('rebuilds queues and index that are wrong, and keeps the wrong ones', async () => {
    const { at, repair } = await store()
    const { queues, index } = readStoreDirectory(at.disk, '/store')
    change(at.disk, queues[0]!.files[0]!.path, bytes => bytes.fill(7, 0, 40))
    change(at.disk, `/store/index/${index[0]}`, bytes => bytes.fill(0, 40, 240))
    assert.notDeepEqual(await all(verifyStore(at.disk, '/store')), [])
    const done = await repair()
    assert.deepEqual(await all(verifyStore(at.disk, '/store')), [])
    assert.equal(done.records, 300)
    assert.deepEqual([done.cut, done.damaged, done.wrongBodies], [undefined, [], []])
    assert.deepEqual(at.disk.list('/store/kept'), ['checkpoint', 'consumequeue', 'index', 'skua.dispatch'])
  })

  test('cuts a torn tail and keeps its bytes; the log goes on where it ends now', async () => {
    const { at, repair, bodies } = await store()
    const messages = await all(storedMessages(at.disk, '/store'))
    const last = messages.at(-1)!
    const file = readStoreDirectory(at.disk, '/store').log.find(
      ({ base, size }) => last.physicalOffset >= base && last.physicalOffset < base + size,
    )!
    const from = last.physicalOffset - file.base
    const torn = Buffer.from(at.disk.readFile(file.path).subarray(from, from + 60))
    change(at.disk, file.path, bytes => bytes.fill(0, from + 60))
    const done = await repair()
    assert.deepEqual(done.cut, { offset: last.physicalOffset, bytes: 60 })
    assert.deepEqual(at.disk.readFile(`/store/kept/commitlog-${last.physicalOffset}`), torn)
    assert.equal((await bodies()).length, 299)
    assert.deepEqual(await all(verifyStore(at.disk, '/store')), [])
    const again = await open(at)
    const [outcome] = put(again, { topic: 'T', queueId: 2, body: Buffer.from('next'), properties: '' })
    assert.equal(outcome?.physicalOffset, last.physicalOffset)
    assert.equal(outcome?.queueOffset, last.queueOffset)
    await at.clock.until(again.store.stop())
  })

  test('loses only the messages that are damaged, where damage lies amid the log', async () => {
    const { at, repair, bodies } = await store()
    const messages = await all(storedMessages(at.disk, '/store'))
    const [hit, next] = [messages[20]!, messages[21]!]
    const [file] = readStoreDirectory(at.disk, '/store').log
    change(at.disk, file!.path, bytes => bytes.fill(0xee, hit.physicalOffset, hit.physicalOffset + 30))
    const done = await repair()
    assert.deepEqual(done.damaged, [{ offset: hit.physicalOffset, to: next.physicalOffset }])
    assert.equal(done.cut, undefined)
    assert.deepEqual(
      await bodies(),
      messages.filter(each => each !== hit).map(each => Buffer.from(each.body).toString()),
    )
    const opened = await open(at)
    assert.equal(opened.store.maxOffset('T', 2), 100)
    assert.equal(opened.store.maxPhysicalOffset, messages.at(-1)!.physicalOffset + messages.at(-1)!.storeSize)
    await at.clock.until(opened.store.stop())
    const found = await all(verifyStore(at.disk, '/store'))
    assert.deepEqual(found, [`commitlog ${hit.physicalOffset}: cannot be read up to ${next.physicalOffset}`])
  })

  test('only says what it would do where that is asked', async () => {
    const { at, repair } = await store()
    at.disk.remove('/store/index')
    const before = at.disk.list('/store')
    const done = await repair({ dryRun: true })
    assert.equal(done.records, 300)
    assert.deepEqual(at.disk.list('/store'), before)
  })

  test('refuses a store that a broker has open', async () => {
    const { at, repair } = await store()
    const opened = await open(at)
    // Another process on the same machine, for which pid 1 lives.
    const facts = { ...factsOf('boot', 2), startedAt: (pid: number) => `start of ${pid}` }
    const needs = { ...at, turn: new SimTurn(), facts }
    await assert.rejects(repairStore('/store', needs, { keptName: 'kept' }), { code: 'ESTORELOCKED' })
    await at.clock.until(opened.store.stop())
    await repair()
  })

  for (const name of ['store-4.9.7-clean', 'store-4.9.7-crash', 'store-5.3.3-clean']) {
    test(`${name}: is whole afterwards, with every message`, async () => {
      const at = world()
      unpackFixture(name, at.disk, '/store')
      const needs = { ...at, turn: new SimTurn(), facts: factsOf('boot') }
      await at.clock.until(repairStore('/store', needs, { keptName: 'kept' }))
      assert.deepEqual(await all(verifyStore(at.disk, '/store')), [])
      const found = await all(storedMessages(at.disk, '/store'))
      assert.equal(found.length, expectedOf(name).messages.length)
    })
  }
})
