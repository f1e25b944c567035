import assert from 'node:assert/strict'
import test from 'node:test'
import { GetRequest, GetResult } from '../src/index.ts'
import { draftOf, drain, get, message, Outcomes, open, put, smallConfig, world } from './harness.ts'

test('an append is answered once, after the write of its turn, with its offsets', async () => {
  const at = world()
  const opened = await open(at)
  const outcomes = new Outcomes()
  opened.store.append(draftOf(message('T', 'one')), outcomes)
  opened.store.append(draftOf(message('T', 'two')), outcomes)
  assert.equal(outcomes.all.length, 0)
  assert.equal(opened.store.maxOffset('T', 0), 0, 'nothing is visible before its write')
  opened.turn.run()
  const size = 91 + 3 + 1
  assert.deepEqual(
    outcomes.all.map(({ status, physicalOffset, queueOffset }) => [status, physicalOffset, queueOffset]),
    [
      ['ok', 0, 0],
      ['ok', size, 1],
    ],
  )
  assert.equal(opened.store.maxOffset('T', 0), 2)
  await opened.store.stop()
})

test('messages come back in order from memory, as one slice where they are contiguous', async () => {
  const at = world()
  const opened = await open(at)
  put(opened, message('T', 'a'), message('T', 'b'), message('T', 'c'))
  assert.deepEqual(await get(opened, { topic: 'T', offset: 0 }), {
    status: 'found',
    nextOffset: 3,
    bodies: ['a', 'b', 'c'],
    slices: 1,
  })
  assert.equal((await get(opened, { topic: 'T', offset: 3 })).status, 'offsetOverflowOne')
  assert.equal((await get(opened, { topic: 'T', offset: 9 })).status, 'offsetOverflowBadly')
  assert.equal((await get(opened, { topic: 'none', offset: 0 })).status, 'noMatchedLogicQueue')
  await opened.store.stop()
})

test('a read that finds its messages in memory is answered without a promise', async () => {
  const at = world()
  const opened = await open(at)
  put(opened, message('T', 'a'))
  const request = Object.assign(new GetRequest(), { topic: 'T' })
  const result = new GetResult()
  assert.equal(opened.store.get(request, result), undefined)
  assert.equal(result.count, 1)
  result.release()
  await opened.store.stop()
})

test('only messages of the wanted tag are read, and the next offset is behind what was looked at', async () => {
  const at = world()
  const opened = await open(at)
  put(opened, message('T', 'a', 'TAGS\x01A'), message('T', 'b', 'TAGS\x01B'), message('T', 'c', 'TAGS\x01A'))
  const filter = { matchesTag: (hash: number) => hash === 'A'.charCodeAt(0) }
  assert.deepEqual((await get(opened, { topic: 'T', filter })).bodies, ['a', 'c'])
  const none = { matchesTag: () => false }
  const got = await get(opened, { topic: 'T', filter: none })
  assert.deepEqual([got.status, got.nextOffset], ['noMatchedMessage', 3])
  await opened.store.stop()
})

test('a store that was stopped shows the same messages again, from several segments, and goes on behind them', async () => {
  const at = world()
  const first = await open(at)
  const bodies = Array.from({ length: 300 }, (_, i) => `message ${i} ${'x'.repeat(i % 90)}`)
  for (const body of bodies) put(first, message('T', body, `KEYS\x01k${body.length}`))
  await at.clock.until(first.store.stop())
  assert.equal(at.disk.stat('/store/abort'), undefined)
  const second = await open(at)
  assert.deepEqual(await drain(second, 'T'), bodies)
  assert.equal(put(second, message('T', 'next'))[0]?.queueOffset, 300)
  assert.deepEqual(await drain(second, 'T'), [...bodies, 'next'])
  await at.clock.until(second.store.stop())
})

test('a store that was killed shows every acknowledged message again', async () => {
  const at = world()
  const first = await open(at)
  const bodies = Array.from({ length: 500 }, (_, i) => `message ${i}`)
  for (const [i, body] of bodies.entries()) {
    put(first, message('T', body, `UNIQ_KEY\x01${body}`))
    if (i % 100 === 50) at.clock.advance(700)
  }
  const second = await open(at)
  assert.deepEqual(await drain(second, 'T'), bodies)
  for (const i of [0, 250, 499]) {
    const query = { topic: 'T', key: `message ${i}`, maxCount: 10, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
    const found = await second.store.query(query)
    const records = await Promise.all(found.physicalOffsets.map(offset => second.store.readRecord(offset)))
    assert.ok(
      records.some(record => record?.includes(`message ${i}`)),
      `key of message ${i}`,
    )
  }
  await at.clock.until(second.store.stop())
})

test('what cannot be stored is refused at once, with the cause and the setting', async () => {
  const at = world()
  const opened = await open(at, { ...smallConfig, maxMessageSize: 100 })
  const outcomes = put(
    opened,
    message('T', 'x'.repeat(101)),
    message('T'.repeat(128), 'x'),
    message('T', 'x', `a\x01${'y'.repeat(32_768)}`),
  )
  assert.deepEqual(
    outcomes.map(({ status, physicalOffset }) => [status, physicalOffset]),
    [
      ['messageIllegal', -1],
      ['messageIllegal', -1],
      ['propertiesSizeExceeded', -1],
    ],
  )
  assert.match(outcomes[0]!.remark, /maxMessageSize is 100/)
  await opened.store.stop()
})
