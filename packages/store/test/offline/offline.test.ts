import assert from 'node:assert/strict'
import test from 'node:test'
import { messageJson, readStoreDirectory, storedMessages, verifyStore } from '../../src/index.ts'
import { expectedOf, unpackFixture } from '../fixture.ts'
import { world } from '../harness.ts'

const fields =
  'phyOffset size topic queueId queueOffset sysFlag flag bodyCRC bornTimestamp storeTimestamp bornHost reconsumeTimes preparedTransactionOffset properties bodyHex'.split(
    ' ',
  )
const names = ['store-4.9.7-clean', 'store-4.9.7-crash', 'store-4.9.7-slave', 'store-5.3.3-clean']

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

for (const name of names.filter(each => !each.includes('crash'))) {
  test(`${name}: nothing is found`, async () => {
    assert.deepEqual(await all(verifyStore(unpacked(name), '/store')), [])
  })
}

test('the end of a log is not a finding where the next file is made ahead and empty', async () => {
  assert.deepEqual(await all(verifyStore(unpacked('store-4.9.7-crash'), '/store')), [])
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
  assert.deepEqual(await all(verifyStore(disk, '/store')), [
    `commitlog ${maxOffset}: a torn or damaged record ends the log`,
  ])
})

test('queues and index that are gone are named', async () => {
  const disk = unpacked('store-4.9.7-clean')
  disk.remove('/store/consumequeue')
  disk.remove('/store/index')
  assert.deepEqual(await all(verifyStore(disk, '/store')), ['consumequeue: missing', 'index: missing'])
})

test('a damaged byte of a body is found at its record', async () => {
  const disk = unpacked('store-4.9.7-clean')
  const message = expectedOf('store-4.9.7-clean').messages.find(each => each.bodyHex.length > 0)!
  const path = readStoreDirectory(disk, '/store').log[0]!.path
  const bytes = Buffer.from(disk.readFile(path))
  const at = bytes.indexOf(Buffer.from(message.bodyHex, 'hex'), message.phyOffset)
  bytes[at]! ^= 1
  disk.writeFile(path, bytes)
  assert.deepEqual(await all(verifyStore(disk, '/store')), [
    `commitlog ${message.phyOffset}: the body does not match its CRC`,
  ])
})

test('a queue entry that points beside its record is found', async () => {
  const disk = unpacked('store-4.9.7-clean')
  const queue = readStoreDirectory(disk, '/store').queues.find(each => each.topic === 'FxNormal')!
  const path = queue.files[0]!.path
  const bytes = Buffer.from(disk.readFile(path))
  bytes[7]! ^= 1
  disk.writeFile(path, bytes)
  const found = await all(verifyStore(disk, '/store'))
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
