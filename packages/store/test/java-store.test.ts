import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import type { QueueEntry, StoreConfig } from '../src/index.ts'
import { type ExpectedMessage, type ExpectedStore, expectedOf, unpackFixture } from './fixture.ts'
import { type Opened, open, smallConfig, type World, world } from './harness.ts'

const geometry49: StoreConfig = {
  ...smallConfig,
  mappedFileSizeCommitLog: 16_384,
  mappedFileSizeConsumeQueue: 200,
  maxHashSlotNum: 50,
  maxIndexNum: 100,
}
const geometry53: StoreConfig = {
  ...smallConfig,
  mappedFileSizeCommitLog: 32_768,
  mappedFileSizeConsumeQueue: 400,
  maxHashSlotNum: 100,
  maxIndexNum: 200,
}
const stores: readonly (readonly [string, StoreConfig])[] = [
  ['store-4.9.7-crash', geometry49],
  ['store-4.9.7-clean', geometry49],
  ['store-5.3.3-clean', geometry53],
  ['store-4.9.7-slave', geometry49],
]

for (const [name, config] of stores) {
  const expected = expectedOf(name)

  test(`${name}: opens with every message, queue entry and key of the expected file`, async () => {
    const at = world()
    unpackFixture(name, at.disk, '/store')
    const opened = await open(at, config)
    await check(opened, expected)
    await at.clock.until(opened.store.stop())
    const again = await open(at, config)
    await check(again, expected)
    await at.clock.until(again.store.stop())
  })

  test(`${name}: queues and index which are gone are rebuilt from the log`, async () => {
    for (const gone of [['consumequeue'], ['index'], ['consumequeue', 'index']]) {
      const at = world()
      unpackFixture(name, at.disk, '/store')
      for (const each of gone) at.disk.remove(`/store/${each}`)
      const opened = await open(at, config)
      await check(opened, expected)
      await at.clock.until(opened.store.stop())
      checkLogUnchanged(at, name, expected)
    }
  })
}

async function check(opened: Opened, expected: ExpectedStore): Promise<void> {
  assert.equal(opened.store.minPhysicalOffset, expected.minOffset)
  assert.equal(opened.store.maxPhysicalOffset, expected.maxOffset)
  checkQueues(opened, expected)
  for (const message of expected.messages) {
    await checkMessage(opened, message)
    await checkKeys(opened, message)
  }
}

function checkQueues({ store }: Opened, expected: ExpectedStore): void {
  const names: string[] = []
  for (const [topic, queues] of Object.entries(expected.consumeQueues)) {
    for (const [queueId, { firstUnit, maxOffset, entries }] of Object.entries(queues)) {
      const queue = store.queue(topic, Number(queueId))
      assert.ok(queue, `${topic} ${queueId}`)
      assert.equal(queue.maxOffset, maxOffset, `${topic} ${queueId}`)
      if (entries.length > 0) names.push(`${topic} ${queueId}`)
      for (const [i, [physicalOffset, size, tagsCode]] of entries.entries()) {
        if (size === 0x7fffffff) assert.ok(queue.minOffset > firstUnit + i, 'a filled place is not offered')
        else
          assert.deepEqual(
            entryAt(queue, firstUnit + i),
            { physicalOffset, size, tagsCode },
            `${topic} ${queueId} ${i}`,
          )
      }
    }
  }
  const found = [...store.queues()].filter(queue => queue.maxOffset > 0).map(queue => `${queue.topic} ${queue.queueId}`)
  assert.deepEqual(found.sort(), names.sort())
}

function entryAt(
  queue: { entries(offset: number, into: QueueEntry[]): number },
  offset: number,
): QueueEntry | undefined {
  const into: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  return queue.entries(offset, into) === 1 ? into[0] : undefined
}

async function checkMessage({ store }: Opened, message: ExpectedMessage): Promise<void> {
  const record = await store.readRecord(message.phyOffset)
  assert.ok(record, `record at ${message.phyOffset}`)
  assert.deepEqual(store.readRecordSync(message.phyOffset), record)
  assert.equal(record.length, message.size)
  assert.equal(record.readInt32BE(8), message.bodyCRC)
  assert.equal(record.readInt32BE(12), message.queueId)
  assert.equal(Number(record.readBigInt64BE(20)), message.queueOffset)
  assert.equal(record.toString('hex', 88, 88 + record.readInt32BE(84)), message.bodyHex)
}

async function checkKeys({ store }: Opened, { topic, phyOffset, properties, sysFlag }: ExpectedMessage): Promise<void> {
  if ((sysFlag & 0xc) === 0xc) return
  const keys = (properties.KEYS ?? '').split(' ').filter(key => key !== '')
  if (properties.UNIQ_KEY !== undefined) keys.push(properties.UNIQ_KEY)
  for (const key of keys) {
    const query = { topic, key, maxCount: 64, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
    const { physicalOffsets } = await store.query(query)
    assert.ok(physicalOffsets.includes(phyOffset), `${topic}#${key} leads to ${phyOffset}`)
  }
}

/** What recovery does must not move a byte of a message. */
function checkLogUnchanged(at: World, name: string, expected: ExpectedStore): void {
  const original = world()
  unpackFixture(name, original.disk, '/store')
  for (const message of expected.messages) {
    const file = `/store/commitlog/${fileOf(message.phyOffset, name)}`
    const place = message.phyOffset % (name.includes('5.3.3') ? 32_768 : 16_384)
    const slice = (from: World) => from.disk.readFile(file).subarray(place, place + message.size)
    assert.deepEqual(slice(at), slice(original))
  }
}

function fileOf(offset: number, name: string): string {
  const size = name.includes('5.3.3') ? 32_768 : 16_384
  return String(Math.floor(offset / size) * size).padStart(20, '0')
}

test('a V2 record with IPv6 hosts, written by the 5.3.3 encoder, is recovered and has its place in its queue', async () => {
  const vectors = JSON.parse(readFileSync(new URL('./fixtures/vectors.json', import.meta.url), 'utf8'))
  for (const name of ['v2', 'v2_with_prop_crc']) {
    const at = world()
    const record = Buffer.from(vectors[name], 'hex')
    at.disk.makeDirectory('/store/commitlog')
    at.disk.writeFile('/store/commitlog/00000000000000000000', Buffer.concat([record], 16_384))
    const opened = await open(at)
    assert.deepEqual(opened.store.readRecordSync(0), record)
    const [queue] = [...opened.store.queues()]
    assert.deepEqual([queue?.queueId, queue?.minOffset, queue?.maxOffset], [3, 9, 10])
    assert.ok(queue!.topic.length > 127)
    const into = [{ physicalOffset: -1, size: 0, tagsCode: 0 }]
    assert.equal(queue?.entries(9, into), 1)
    assert.deepEqual([into[0]?.physicalOffset, into[0]?.size], [0, record.length])
    await at.clock.until(opened.store.stop())
  }
})
