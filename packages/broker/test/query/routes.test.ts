import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeRecords,
  javaLongMax,
  queryMessage,
  type StoredMessage,
  sendMessageV2,
  viewMessageById,
} from '@skua-mq/protocol'
import { type Peer, World } from '../world.ts'

const always = { maxNum: 64, beginTimestamp: 0, endTimestamp: javaLongMax }

async function byKey(
  peer: Peer,
  wish: { topic?: string; key: string; unique?: boolean; max?: number; from?: number; to?: number },
) {
  const reply = await peer.ask(queryMessage, {
    topic: wish.topic ?? 'T',
    key: wish.key,
    maxNum: wish.max ?? always.maxNum,
    beginTimestamp: wish.from ?? always.beginTimestamp,
    endTimestamp: wish.to ?? always.endTimestamp,
    uniqueKeyQuery: wish.unique,
  })
  return { code: reply.code, header: reply.header, bodies: bodiesOf(reply.body) }
}

const bodiesOf = (bytes: Uint8Array | undefined) =>
  [...decodeRecords(bytes ?? Buffer.alloc(0))].map((message: StoredMessage) => Buffer.from(message.body).toString())

async function filled() {
  const world = await new World().start()
  const peer = world.client('client')
  await peer.send('T', 'one', { properties: { KEYS: 'a b', UNIQ_KEY: 'u1' } })
  await world.pass(2000)
  await peer.send('T', 'two', { properties: { KEYS: 'b', UNIQ_KEY: 'u2' } })
  await peer.send('Other', 'three', { properties: { KEYS: 'b', UNIQ_KEY: 'u1' } })
  return { world, peer }
}

test('finds messages by each of their keys, in the order of the log, and those of its topic only', async () => {
  const { world, peer } = await filled()
  assert.deepEqual((await byKey(peer, { key: 'b' })).bodies, ['one', 'two'])
  assert.deepEqual((await byKey(peer, { key: 'a' })).bodies, ['one'])
  assert.deepEqual((await byKey(peer, { key: 'b', topic: 'Other' })).bodies, ['three'])
  assert.deepEqual((await byKey(peer, { key: 'b', max: 1 })).bodies.length, 1)
  await world.stop()
})

test('finds a message by its unique key, and does not take a key for one', async () => {
  const { world, peer } = await filled()
  assert.deepEqual((await byKey(peer, { key: 'u1', unique: true })).bodies, ['one'])
  assert.equal((await byKey(peer, { key: 'a', unique: true })).code, 22)
  await world.stop()
})

test('a time range leaves out what was stored before and after it', async () => {
  const { world, peer } = await filled()
  const start = 1_767_225_600_000
  assert.deepEqual((await byKey(peer, { key: 'b', from: start, to: start + 1500 })).bodies, ['one'])
  assert.deepEqual((await byKey(peer, { key: 'b', from: start + 1500 })).bodies, ['two'])
  await world.stop()
})

test('keys of the same hash are told apart', async () => {
  const { world, peer } = await filled()
  // Java hashes "Aa" and "BB" alike.
  await peer.send('T', 'Aa', { properties: { KEYS: 'Aa' } })
  await peer.send('T', 'BB', { properties: { KEYS: 'BB' } })
  assert.deepEqual((await byKey(peer, { key: 'BB' })).bodies, ['BB'])
  await world.stop()
})

test('a key that nobody has is 22, with how far the index is', async () => {
  const { world, peer } = await filled()
  const { code, header } = await byKey(peer, { key: 'nobody' })
  assert.equal(code, 22)
  assert.ok(header.indexLastUpdateTimestamp > 0 && header.indexLastUpdatePhyoffset > 0)
  await world.stop()
})

test('33 answers the record at an offset, and refuses any place where none begins', async () => {
  const { world, peer } = await filled()
  const sent = await peer.send('T', 'wanted')
  assert.equal(sent.code, 0)
  const offset = Number.parseInt(sent.extFields['msgId']!.slice(16), 16)
  assert.deepEqual(bodiesOf((await peer.ask(viewMessageById, { offset })).body), ['wanted'])
  for (const wrong of [offset + 1, 10_000_000, -1]) {
    const refused = await peer.ask(viewMessageById, { offset: wrong })
    assert.deepEqual([refused.code, refused.body], [1, undefined])
  }
  await world.stop()
})

test('33 refuses a record that lies inside of a body', async () => {
  const { world, peer } = await filled()
  const inner = (await peer.ask(viewMessageById, { offset: 0 })).body!
  const sent = await peer.ask(
    sendMessageV2,
    {
      producerGroup: 'p',
      topic: 'T',
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: 4,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      flag: 0,
      unitMode: false,
      batch: false,
    },
    inner,
  )
  const offset = Number.parseInt(sent.header.msgId.slice(16), 16)
  const reply = await peer.ask(viewMessageById, { offset: offset + 88 })
  assert.equal(reply.code, 1)
  await world.stop()
})
