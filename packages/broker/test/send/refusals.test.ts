import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBatch, getTopicConfig, updateAndCreateTopic, updateBrokerConfig } from '@skua-mq/protocol'
import { binaryFrame, jsonFrame, RawPeer } from '../raw-peer.ts'
import { type Peer, World } from '../world.ts'

const none = Buffer.alloc(0)

const create = (peer: Peer, topic: string, perm: number, order = false) =>
  peer.ask(updateAndCreateTopic, {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: 2,
    writeQueueNums: 2,
    perm,
    topicFilterType: 'SINGLE_TAG',
    order,
  })

test('topic names that are none, and topics of the broker itself, are refused, and the remark says why', async () => {
  const world = await new World({ dialect: '4.9' }).start()
  const peer = world.client('client')
  const cases: [string, RegExp, number][] = [
    ['', /blank/, 1],
    ['a/b', /characters/, 1],
    ['x'.repeat(128), /128 characters, at most 127/, 1],
    ...[
      'SCHEDULE_TOPIC_XXXX',
      'RMQ_SYS_TRANS_HALF_TOPIC',
      'RMQ_SYS_TRANS_OP_HALF_TOPIC',
      'TRANS_CHECK_MAX_TIME_TOPIC',
      'SELF_TEST_TOPIC',
      'OFFSET_MOVED_EVENT',
    ].map((topic): [string, RegExp, number] => [topic, /belongs to the broker/, 16]),
  ]
  for (const [topic, why, code] of cases) {
    const reply = await peer.send(topic, 'x')
    assert.equal(reply.code, code, topic)
    assert.match(reply.remark ?? '', why)
    assert.equal(reply.extFields['MSG_REGION'], 'DefaultRegion')
  }
  assert.equal((await peer.send('x'.repeat(127), 'x')).code, 0)
  await world.stop()
})

test('a topic that no record can hold is refused before it is made, also for a delayed message', async () => {
  const world = await new World({ dialect: '4.9' }).start()
  const peer = world.client('client')
  const topic = `%RETRY%${'g'.repeat(121)}`
  for (const properties of [{}, { DELAY: '1' }, { TRAN_MSG: 'true', PGROUP: 'g' }]) {
    const reply = await peer.send(topic, 'x', { properties })
    assert.equal(reply.code, 13)
    assert.match(reply.remark ?? '', /has 128 bytes/)
  }
  assert.equal((await peer.ask(getTopicConfig, { topic })).code, 17)
  await world.stop()
})

test('a topic without a template is 17; a queue that it does not have is 1; a negative one is the choice of the broker', async () => {
  const world = await new World({ dialect: '4.9' }).start()
  const peer = world.client('client')
  assert.equal((await peer.send('T', 'x', { defaultTopic: 'None' })).code, 17)
  await create(peer, 'T', 6)
  assert.equal((await peer.send('T', 'x', { queueId: 1 })).code, 0)
  const beyond = await peer.send('T', 'x', { queueId: 2 })
  assert.equal(beyond.code, 1)
  assert.match(beyond.remark ?? '', /queueId 2 is out of range: T has 2 queues/)
  assert.ok([0, 1].includes((await peer.send('T', 'x', { queueId: -1 })).header.queueId))
  await world.stop()
})

test('bodies above maxMessageSize and properties above 32767 bytes are 13, with both figures', async () => {
  const world = await new World({ dialect: '4.9', maxMessageSize: 100 }).start()
  const peer = world.client('client')
  assert.equal((await peer.send('T', 'x'.repeat(100))).code, 0)
  const big = await peer.send('T', 'x'.repeat(101))
  assert.equal(big.code, 13)
  assert.match(big.remark ?? '', /101.*100/)
  const many = await peer.send('T', 'x', { properties: { a: 'x'.repeat(32_770) } })
  assert.equal(many.code, 13)
  assert.match(many.remark ?? '', /32767/)
  await world.stop()
})

test('properties that are too long are 13 at every length, in either form', async () => {
  const world = await new World({ dialect: '4.9' }).start()
  const fields = { a: 'g', b: 'T', c: 'TBW102', d: '4', e: '0', f: '0', g: '1', h: '0', k: 'false', m: 'false' }
  const lengths = [33_000, 100_000, 256 * 1024 - 100, 256 * 1024 + 1, 1_000_000, 4_000_000]
  for (const [opaque, length] of lengths.entries()) {
    const peer = await RawPeer.open(world)
    const escaped = 'a\\u0001'.padEnd(length, 'x')
    const header = `"extFields":${JSON.stringify({ ...fields, i: '' }).replace('"i":""', `"i":"${escaped}"`)}`
    peer.write(jsonFrame(`{"code":310,${header},"flag":0,"language":"JAVA","opaque":${opaque},"version":409}`))
    peer.write(binaryFrame(310, opaque, { ...fields, i: 'a\u0001'.padEnd(length, 'x') }))
    await world.pass(2000)
    assert.deepEqual(
      peer.replies.map(({ code, form }) => [code, form]),
      [
        [13, 0],
        [13, 1],
      ],
      `${length} bytes`,
    )
    peer.socket.destroy()
  }
  await world.stop()
})

test('a batch whose properties make it larger than maxBatchBytes as it is stored is 13, and nothing of it is stored', async () => {
  const world = await new World({ dialect: '4.9', maxBatchBytes: 64 * 1024 }).start()
  const peer = world.client('client')
  const batch = encodeBatch(Array.from({ length: 100 }, () => ({ flag: 0, body: Buffer.from('x'), properties: none })))
  assert.equal((await peer.sendBatch('T', batch, { a: 'x'.repeat(100) })).code, 0)
  const refused = await peer.sendBatch('T', batch, { a: 'x'.repeat(1000) })
  assert.equal(refused.code, 13)
  assert.match(refused.remark ?? '', /the batch has 1\d{5} bytes as it is stored; maxBatchBytes is 65536/)
  assert.equal((await peer.send('T', 'next')).header.queueOffset, 100)
  await world.stop()
})

test('a topic that may not be written is 16; so are new and ordered topics on a broker that may not be', async () => {
  const world = await new World({ dialect: '4.9' }).start()
  const peer = world.client('client')
  await create(peer, 'ReadOnly', 4)
  const refused = await peer.send('ReadOnly', 'x')
  assert.deepEqual([refused.code, refused.remark?.includes('perm is 4')], [16, true])
  await create(peer, 'Plain', 6)
  await create(peer, 'Ordered', 6, true)
  assert.equal((await peer.ask(updateBrokerConfig, {}, 'brokerPermission=4')).code, 0)
  assert.equal((await peer.send('Plain', 'x')).code, 0)
  assert.equal((await peer.send('Ordered', 'x')).code, 16)
  assert.equal((await peer.send('New', 'x')).code, 16)
  await world.stop()
})

test('sends are refused with 2 and the measured cause before what is not synced grows, and taken again after', async () => {
  const world = await new World({ dialect: '4.9', maxDirtyBytes: 8192 }).start()
  const peer = world.client('client')
  const codes: number[] = []
  let remark = ''
  for (let i = 0; i < 20; i++) {
    const reply = await peer.send('T', 'x'.repeat(2000))
    codes.push(reply.code)
    if (reply.code === 2) remark = reply.remark ?? ''
  }
  assert.deepEqual([...new Set(codes)], [0, 2])
  assert.match(remark, /maxDirtyBytes/)
  assert.match(remark, /\d{4,}/)
  await world.pass(2000)
  assert.equal((await peer.send('T', 'x')).code, 0)
  await world.stop()
})

test('traces go to their topic, which traceTopicEnable makes', async () => {
  for (const traceTopicEnable of [true, false]) {
    const world = await new World({ dialect: '4.9', traceTopicEnable, autoCreateTopicEnable: false }).start()
    const peer = world.client('client')
    assert.equal((await peer.send('RMQ_SYS_TRACE_TOPIC', 'trace')).code, traceTopicEnable ? 0 : 17)
    await world.stop()
  }
})
