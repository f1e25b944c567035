import assert from 'node:assert/strict'
import test from 'node:test'
import { encodeBatch } from '@skua-mq/protocol'
import { GetRequest, GetResult, Store } from '../src/index.ts'
import { draftOf, drain, factsOf, get, message, Outcomes, open, put, smallConfig, world } from './harness.ts'

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

test('a batch becomes consecutive records with consecutive offsets, and each has its own and the batch properties', async () => {
  const at = world()
  const opened = await open(at)
  const properties = Buffer.from('TAGS\x01A\x02UNIQ_KEY\x01u1')
  const body = encodeBatch([
    { flag: 7, body: Buffer.from('one'), properties },
    { flag: 8, body: Buffer.from('two'), properties: Buffer.alloc(0) },
  ])
  const outcomes = new Outcomes()
  const draft = draftOf({ topic: 'T', queueId: 3, body, properties: 'CLUSTER\x01C\x02WAIT\x01true' })
  opened.store.appendBatch(draft, outcomes)
  opened.turn.run()
  const [outcome] = outcomes.all
  assert.deepEqual([outcome?.status, outcome?.count, outcome?.queueOffset], ['ok', 2, 0])
  const records = outcome!.batchOffsets.map(offset => opened.store.readRecordSync(offset)!.toString('latin1'))
  assert.ok(records[0]!.endsWith('TAGS\x01A\x02UNIQ_KEY\x01u1\x02CLUSTER\x01C\x02WAIT\x01true'))
  assert.ok(records[1]!.endsWith('CLUSTER\x01C\x02WAIT\x01true'))
  assert.deepEqual((await get(opened, { topic: 'T', queueId: 3 })).bodies, ['one', 'two'])
  await at.clock.until(opened.store.stop())
})

test('a damaged batch is refused as a whole', async () => {
  const at = world()
  const opened = await open(at)
  const body = encodeBatch([
    { flag: 0, body: Buffer.from('one'), properties: Buffer.alloc(0) },
    { flag: 0, body: Buffer.from('two'), properties: Buffer.alloc(0) },
  ])
  const outcomes = new Outcomes()
  for (let length = 0; length < body.length; length++) {
    if (length === body.length / 2) continue
    opened.store.appendBatch(
      draftOf({ topic: 'T', queueId: 0, body: body.subarray(0, length), properties: '' }),
      outcomes,
    )
  }
  opened.turn.run()
  assert.ok(outcomes.all.every(({ status }) => status === 'messageIllegal'))
  assert.equal(opened.store.maxPhysicalOffset, 0)
  await at.clock.until(opened.store.stop())
})

test('a delayed message has its delivery time on its queue entry, also when the queue is rebuilt', async () => {
  const at = world()
  const opened = await open(at)
  const storedAtMs = at.clock.now()
  put(opened, { ...message('SCHEDULE_TOPIC_XXXX', 'later', 'DELAY\x013\x02TAGS\x01A'), queueId: 2 })
  const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  assert.equal(opened.store.queue('SCHEDULE_TOPIC_XXXX', 2)?.entries(0, entry), 1)
  assert.equal(entry[0]?.tagsCode, storedAtMs + 10_000)
  await at.clock.until(opened.store.stop())
  at.disk.remove('/store/consumequeue')
  const again = await open(at)
  assert.equal(again.store.queue('SCHEDULE_TOPIC_XXXX', 2)?.entries(0, entry), 1)
  assert.equal(entry[0]?.tagsCode, storedAtMs + 10_000)
  await at.clock.until(again.store.stop())
})

test('arrivals are told once per queue and turn, after the write', async () => {
  const at = world()
  const opened = await open(at)
  const told: string[] = []
  opened.store.onArrival({ arrived: (topic, queueId, maxOffset) => told.push(`${topic} ${queueId} ${maxOffset}`) })
  put(opened, message('A', '1'), message('B', '1'), message('A', '2'))
  assert.deepEqual(told, ['A 0 2', 'B 0 1'])
  await at.clock.until(opened.store.stop())
})

test('the offset of a time is that of the message stored nearest to it', async () => {
  const at = world()
  const opened = await open(at)
  const begin = at.clock.now()
  for (let i = 0; i < 5; i++) {
    put(opened, message('T', `${i}`))
    at.clock.advance(100)
  }
  const offsetAt = (ms: number) => opened.store.offsetByTime('T', 0, begin + ms)
  assert.deepEqual(await Promise.all([-50, 0, 130, 170, 200, 9999].map(offsetAt)), [0, 0, 1, 2, 2, 4])
  assert.equal(await opened.store.storedAt('T', 0, 3), begin + 300)
  assert.equal(await opened.store.earliestStoredAt('T', 0), begin)
  assert.equal(await opened.store.offsetByTime('none', 0, 0), 0)
  await at.clock.until(opened.store.stop())
})

test('a deleted topic begins at 0 again, and a crash does not bring it back', async () => {
  const at = world()
  const first = await open(at)
  put(first, message('T', 'old 1'), message('T', 'old 2'), message('U', 'stays'))
  first.store.deleteTopic('T')
  assert.equal(first.store.queue('T', 0), undefined)
  put(first, message('T', 'new'))
  const second = await open(at)
  assert.deepEqual(await drain(second, 'T'), ['new'])
  assert.deepEqual(await drain(second, 'U'), ['stays'])
  await at.clock.until(second.store.stop())
})

test('a store that another living process has open is not opened', async () => {
  const at = world()
  const opened = await open(at)
  const owner = JSON.parse(at.disk.readFile('/store/skua.owner').toString())
  at.disk.writeFile('/store/skua.owner', Buffer.from(JSON.stringify({ ...owner, pid: 7, startedAt: 'start of 7' })))
  const facts = { ...factsOf('boot'), startedAt: (pid: number) => `start of ${pid}` }
  const config = smallConfig
  const other = new Store(config, { ...at, turn: opened.turn, facts })
  await assert.rejects(other.start(), /open in another process \(pid 7\)/)
  const java = new Store(config, { ...at, turn: opened.turn, facts: { ...factsOf('boot'), lockHolder: () => 99 } })
  await assert.rejects(java.start(), /Java broker with pid 99/)
})

test('queues that lead behind the end of the log, and queues that are gone one by one, are rebuilt', async () => {
  for (const lose of ['commitlog/00000000000000016384', 'consumequeue/T/1', 'consumequeue/T/0/00000000000000000400']) {
    const at = world()
    const first = await open(at)
    for (let i = 0; i < 200; i++) put(first, { ...message('T', `message ${i}`), queueId: i % 2 })
    await at.clock.until(first.store.stop())
    const before = at.disk.list('/store/commitlog').length
    assert.equal(before, 2)
    at.disk.remove(`/store/${lose}`)
    const second = await open(at)
    const bodies = [...(await drain(second, 'T', 0)), ...(await drain(second, 'T', 1))]
    const count = lose.startsWith('commitlog') ? bodies.length : 200
    assert.ok(count > 100)
    const expected = Array.from({ length: count }, (_, i) => `message ${i}`)
    assert.deepEqual(bodies.sort(), expected.sort(), lose)
    assert.equal(put(second, message('T', 'next'))[0]?.status, 'ok')
    await at.clock.until(second.store.stop())
  }
})

test('a read that waits for the disk keeps to what was asked, although its request is filled anew meanwhile', async () => {
  const at = world()
  const first = await open(at)
  for (let i = 0; i < 60; i++) put(first, message('T', `${i}`))
  await at.clock.until(first.store.stop())
  // After a restart nothing is in memory.
  const second = await open(at)
  const request = Object.assign(new GetRequest(), { topic: 'T', offset: 4, maxCount: 8 })
  const result = new GetResult()
  const reading = second.store.get(request, result)
  assert.ok(reading, 'the read goes to the files')
  Object.assign(request, { offset: 40, maxCount: 1, filter: { matchesTag: () => false, matchesRecord: () => false } })
  await at.clock.until(reading)
  assert.deepEqual([result.status, result.count, result.nextOffset], ['found', 8, 12])
  result.release()
  await at.clock.until(second.store.stop())
})
