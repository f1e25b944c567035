import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Disk } from '@skua-mq/runtime'
import { messageJson, readStoreDirectory, storedMessages, verifyStore } from '../../src/index.ts'
import { findingsPerKind } from '../../src/offline/findings.ts'
import { expectedOf, unpackFixture } from '../fixture.ts'
import { open, put, smallConfig, special, world } from '../harness.ts'

const fields =
  'phyOffset size topic queueId queueOffset sysFlag flag bodyCRC bornTimestamp storeTimestamp bornHost reconsumeTimes preparedTransactionOffset properties bodyHex'.split(
    ' ',
  )
const names = ['store-4.9.7-clean', 'store-4.9.7-crash', 'store-4.9.7-slave', 'store-5.3.3-clean']

/** Of the 4.9.7 fixtures. */
const geometry = {
  mappedFileSizeCommitLog: 16_384,
  mappedFileSizeConsumeQueue: 200,
  maxHashSlotNum: 50,
  maxIndexNum: 100,
}

function unpacked(name: string) {
  const { disk } = world()
  unpackFixture(name, disk, '/store')
  return disk
}

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const each of from) found.push(each)
  return found
}

for (const name of names) {
  test(`${name}: the messages are those of the expected file, field by field, in log order`, async () => {
    const found = (await all(storedMessages(unpacked(name), '/store'))).map(messageJson)
    const expected = expectedOf(name).messages.map(message => {
      const all = message as unknown as Record<string, unknown>
      return Object.fromEntries(fields.map(field => [field, all[field]]))
    })
    assert.ok(expected.length > 0)
    assert.deepEqual(found, expected)
  })
}

/** Java lost keys of this one when it recovered, before it closed it (store.md 4.5). */
const lostKeys = 'store-4.9.7-clean'

for (const name of names.filter(each => each !== lostKeys)) {
  test(`${name}: nothing is found`, async () => {
    assert.deepEqual(await all(verifyStore(unpacked(name), '/store', { special })), [])
  })
}

test(`${lostKeys}: exactly the keys that Java lost are found missing`, async () => {
  const found = await all(verifyStore(unpacked(lostKeys), '/store', { special }))
  const gap = expectedOf(lostKeys).messages.filter(({ phyOffset }) => phyOffset >= 8236 && phyOffset < 13_500)
  const keys = gap.flatMap(({ phyOffset, topic, properties }) =>
    [properties['UNIQ_KEY'], ...(properties['KEYS']?.split(' ') ?? [])]
      .filter(key => key !== undefined && key !== '')
      .map(key => `index the message at ${phyOffset} is not found by ${topic}#${key}`),
  )
  assert.deepEqual(found.slice(0, -1), keys.slice(0, findingsPerKind))
  assert.match(found.at(-1) ?? '', /^index … and \d+ more$/)
})

test('a store that Java mended incompletely is whole once Skua has opened it', async () => {
  const at = world()
  unpackFixture(lostKeys, at.disk, '/store')
  const { store } = await open(at, { ...smallConfig, ...geometry })
  await at.clock.until(store.stop())
  assert.deepEqual(await all(verifyStore(at.disk, '/store', { special })), [])
})

test('a torn tail is named at the end of the last whole record', async () => {
  const { maxOffset } = expectedOf('store-4.9.7-crash')
  const disk = unpacked('store-4.9.7-crash')
  const { log } = readStoreDirectory(disk, '/store')
  const file = log.find(each => maxOffset >= each.base && maxOffset < each.base + each.size)!
  const bytes = Buffer.from(disk.readFile(file.path))
  // The first 60 bytes of the log's first record, again at its end: a size, a magic, and no whole record.
  disk.readFile(log[0]!.path).copy(bytes, maxOffset - file.base, 0, 60)
  disk.writeFile(file.path, bytes)
  assert.deepEqual(await all(verifyStore(disk, '/store', { special })), [
    `commitlog ${maxOffset}: a torn or damaged record ends the log`,
  ])
})

test('queues and index that are gone are named', async () => {
  const disk = unpacked('store-4.9.7-clean')
  disk.remove('/store/consumequeue')
  disk.remove('/store/index')
  assert.deepEqual(await all(verifyStore(disk, '/store', { special })), ['consumequeue: missing', 'index: missing'])
})

test('a damaged byte of a body is found at its record', async () => {
  const disk = unpacked('store-4.9.7-clean')
  const message = expectedOf('store-4.9.7-clean').messages.find(each => each.bodyHex.length > 0)!
  const path = readStoreDirectory(disk, '/store').log[0]!.path
  const bytes = Buffer.from(disk.readFile(path))
  const at = bytes.indexOf(Buffer.from(message.bodyHex, 'hex'), message.phyOffset)
  bytes[at]! ^= 1
  disk.writeFile(path, bytes)
  const found = (await all(verifyStore(disk, '/store', { special }))).filter(each => !each.startsWith('index'))
  assert.deepEqual(found, [`commitlog ${message.phyOffset}: the body does not match its CRC`])
})

test('a queue entry that points beside its record is found', async () => {
  const disk = unpacked('store-4.9.7-clean')
  const queue = readStoreDirectory(disk, '/store').queues.find(each => each.topic === 'FxNormal')!
  const path = queue.files[0]!.path
  const bytes = Buffer.from(disk.readFile(path))
  bytes[7]! ^= 1
  disk.writeFile(path, bytes)
  const found = (await all(verifyStore(disk, '/store', { special }))).filter(each => !each.startsWith('index'))
  assert.equal(found.length, 1)
  assert.match(found[0]!, /^consumequeue FxNormal\/\d+ 0: points to \d+, where no record begins$/)
})

test('messages are found by topic, queue, key, tag, property and body', async () => {
  const disk = unpacked('store-4.9.7-clean')
  const { messages } = expectedOf('store-4.9.7-clean')
  const offsets = async (filter: Parameters<typeof storedMessages>[2]) =>
    (await all(storedMessages(disk, '/store', filter))).map(each => each.physicalOffset)
  const expected = (keep: (message: (typeof messages)[number]) => boolean) => {
    const kept = messages.filter(keep).map(each => each.phyOffset)
    assert.ok(kept.length > 0 && kept.length < messages.length)
    return kept
  }
  const { topic, queueId, properties, bodyHex } = messages[0]!
  const uniqueKey = properties['UNIQ_KEY']!
  const body = Buffer.from(bodyHex, 'hex').toString()
  assert.deepEqual(
    await offsets({ topic, queueId }),
    expected(each => each.topic === topic && each.queueId === queueId),
  )
  assert.deepEqual(
    await offsets({ key: uniqueKey }),
    expected(each => each.properties['UNIQ_KEY'] === uniqueKey),
  )
  assert.deepEqual(
    await offsets({ key: 'k0' }),
    expected(each => (each.properties['KEYS'] ?? '').split(' ').includes('k0')),
  )
  assert.deepEqual(
    await offsets({ tag: 'TagA' }),
    expected(each => each.properties['TAGS'] === 'TagA'),
  )
  assert.deepEqual(
    await offsets({ properties: { color: 'red' } }),
    expected(each => each.properties['color'] === 'red'),
  )
  assert.deepEqual(
    await offsets({ body }),
    expected(each => each.bodyHex.includes(bodyHex)),
  )
})

describe('verify finds', () => {
  /** A store of ours with a few hundred messages in three queues, closed. */
  async function ours() {
    const at = world()
    const opened = await open(at)
    for (let i = 0; i < 120; i++) {
      const properties = `TAGS\u0001A\u0002KEYS\u0001k${i} all\u0002UNIQ_KEY\u0001u${i}`
      put(opened, { topic: 'T', queueId: i % 3, body: Buffer.from(`body ${i}`), properties })
    }
    await at.clock.until(opened.store.stop())
    assert.deepEqual(await all(verifyStore(at.disk, '/store', { special })), [])
    return at.disk
  }
  const change = (disk: Disk, path: string, edit: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(disk.readFile(path))
    edit(bytes)
    disk.writeFile(path, bytes)
  }

  test('a message without an entry, and a topic without queues unless it was deleted', async () => {
    const disk = await ours()
    const [file] = readStoreDirectory(disk, '/store').queues.find(({ queueId }) => queueId === 1)!.files
    change(disk, file!.path, bytes => bytes.fill(0, 0, 20))
    const [found, ...others] = await all(verifyStore(disk, '/store', { special }))
    assert.match(found ?? '', /^consumequeue T\/1 0: the message at \d+ has no entry$/)
    assert.deepEqual(others, [])
    disk.remove('/store/consumequeue/T/1')
    assert.deepEqual(await all(verifyStore(disk, '/store', { special })), [
      'consumequeue T/1: missing, 40 messages of the log belong there',
    ])
    assert.deepEqual(await all(verifyStore(disk, '/store', { special, isDeleted: topic => topic === 'T' })), [])
  })

  test('a wrong tags code', async () => {
    const disk = await ours()
    const [file] = readStoreDirectory(disk, '/store').queues[0]!.files
    change(disk, file!.path, bytes => bytes.writeInt32BE(7, 16))
    const found = await all(verifyStore(disk, '/store', { special }))
    assert.match(found.join('\n'), /^consumequeue T\/0 0: tags code 7, the message at 0 has 65$/)
  })

  test('index entries that are wrong, slots that lead nowhere and chains that are broken', async () => {
    const disk = await ours()
    const path = `/store/index/${readStoreDirectory(disk, '/store').index[0]}`
    const { maxHashSlotNum } = smallConfig
    const entry = (number: number) => 40 + maxHashSlotNum * 4 + number * 20
    const sound = Buffer.from(disk.readFile(path))
    change(disk, path, bytes => bytes.writeInt32BE(bytes.readInt32BE(entry(5)) ^ 64, entry(5)))
    const wrong = (await all(verifyStore(disk, '/store', { special }))).join('\n')
    assert.match(wrong, /no key of it has the hash/)
    assert.match(wrong, /the message at \d+ is not found by T#/)
    disk.writeFile(path, sound)
    change(disk, path, bytes => bytes.fill(0, 40, 40 + maxHashSlotNum * 4))
    assert.match(
      (await all(verifyStore(disk, '/store', { special })))[0] ?? '',
      /slot \d+: leads to entry 0 and not to \d+/,
    )
    disk.writeFile(path, sound)
    change(disk, path, bytes => bytes.writeInt32BE(1, entry(90) + 16))
    assert.match(
      (await all(verifyStore(disk, '/store', { special })))[0] ?? '',
      /entry 90: leads to entry 1 and not to \d+/,
    )
  })

  test('a checkpoint that is ahead of the log', async () => {
    const disk = await ours()
    const found = async () => (await all(verifyStore(disk, '/store', { special }))).join('\n')
    change(disk, '/store/checkpoint', bytes => bytes.writeBigInt64BE(BigInt(2 ** 42), 8))
    assert.match(await found(), /^checkpoint logicsMsgAtMs: 4398046511104 is later/)
    change(disk, '/store/checkpoint', bytes => bytes.writeBigInt64BE(BigInt(2 ** 45), 8))
    assert.match(await found(), /^checkpoint what it holds are no store times/)
  })

  test('damage amid a file as a stretch, and reads on behind it', async () => {
    const disk = await ours()
    const messages = await all(storedMessages(disk, '/store'))
    const [hit, next] = [messages[10]!, messages[11]!]
    change(disk, readStoreDirectory(disk, '/store').log[0]!.path, bytes =>
      bytes.fill(0xff, hit.physicalOffset, hit.physicalOffset + 8),
    )
    const found = await all(verifyStore(disk, '/store', { special }))
    assert.equal(found[0], `commitlog ${hit.physicalOffset}: cannot be read up to ${next.physicalOffset}`)
    assert.match(found[1] ?? '', /^consumequeue T\/1 3: points to \d+, where no record begins$/)
    assert.equal((await all(storedMessages(disk, '/store'))).length, 119)
  })
})
