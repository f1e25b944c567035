import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer } from '@skua-mq/client'
import { startBroker, type TestBroker } from '../src/index.ts'

const start = (config: object = {}) => startBroker({ clock: 'virtual', topics: ['Orders', 'Other'], config })

const texts = async (broker: TestBroker, topic = 'Orders') => (await broker.messages(topic)).map(({ text }) => text)

/** What becomes of a send, and how long it took in the broker's time. */
async function sent(broker: TestBroker, body: string, topic = 'Orders', options = {}): Promise<string> {
  const producer = await broker.producer({ group: `p-${body}`, retryTimesWhenSendFailed: 0, ...options })
  const began = broker.clock.now()
  const result = await broker.clock.until(
    producer.send({ topic, body }).then(
      ({ sendStatus }) => sendStatus,
      error => error.code,
    ),
  )
  return `${result} ${broker.clock.now() - began}`
}

test('an answer that is dropped: the message is stored, and the sender times out and tries again', async () => {
  await using broker = await start()
  const fault = broker.faults.dropAnswer({ request: 'send', topic: 'Orders', times: 1 })
  assert.equal(await sent(broker, 'a'), 'TIMEOUT 3000')
  assert.equal(fault.hits, 1)
  assert.equal(await sent(broker, 'b'), 'SEND_OK 0')
  assert.deepEqual(await texts(broker), ['a', 'b'])
})

test('a request that is lost never arrives', async () => {
  await using broker = await start()
  broker.faults.loseRequest({ request: 'SEND_MESSAGE_V2' })
  assert.equal(await sent(broker, 'a'), 'TIMEOUT 3000')
  broker.faults.clear()
  assert.deepEqual(await texts(broker), [])
  assert.equal(await sent(broker, 'b'), 'SEND_OK 0')
})

test('an answer comes late by so much, or when it is let go', async () => {
  await using broker = await start()
  const late = broker.faults.delayAnswer({ topic: 'Orders', by: '2s', times: 1 })
  assert.equal(await sent(broker, 'a'), 'SEND_OK 2000')
  late.release()
  const held = broker.faults.delayAnswer({ topic: 'Orders' })
  const sending = sent(broker, 'b')
  await broker.clock.advance('1s')
  held.release()
  assert.match(await sending, /^SEND_OK/)
})

test('an answer that comes twice does no harm', async () => {
  await using broker = await start()
  const fault = broker.faults.duplicateAnswer({ topic: 'Orders', request: 'send' })
  assert.equal(await sent(broker, 'a'), 'SEND_OK 0')
  assert.equal(fault.hits, 1)
  assert.equal(await sent(broker, 'b'), 'SEND_OK 0')
})

test('a connection breaks after so many bytes of an answer', async () => {
  await using broker = await start()
  for (const afterBytes of [0, 10]) {
    const fault = broker.faults.cut({ topic: 'Orders', request: 'send', afterBytes, times: 1 })
    assert.match(await sent(broker, `a${afterBytes}`), /^(NETWORK|CONNECTION|ECLOSED|\w+) /)
    assert.equal(fault.hits, 1)
    assert.equal(await sent(broker, `b${afterBytes}`), 'SEND_OK 0')
  }
  assert.deepEqual(await texts(broker), ['a0', 'b0', 'a10', 'b10'])
})

test('the broker refuses with a code, and has done nothing', async () => {
  await using broker = await start()
  const producer = await broker.producer({ retryTimesWhenSendFailed: 0 })
  broker.faults.refuse({ request: 'send', topic: 'Orders', code: 'TOPIC_NOT_EXIST', remark: 'not today', times: 1 })
  await assert.rejects(broker.clock.until(producer.send({ topic: 'Orders', body: 'a' })), (error: Error) => {
    assert.equal((error as { responseCode?: number }).responseCode, 17)
    assert.match(error.message, /not today/)
    return true
  })
  await producer.send({ topic: 'Orders', body: 'b' })
  assert.deepEqual(await texts(broker), ['b'])
})

test('faults are chosen by topic, group, queue, client and request', async () => {
  await using broker = await start()
  const fault = broker.faults.dropAnswer({ topic: 'Other' })
  assert.equal(await sent(broker, 'a'), 'SEND_OK 0')
  assert.equal(fault.hits, 0)
  fault.release()
  broker.faults.dropAnswer({ group: 'p-b', request: 'send' })
  assert.equal(await sent(broker, 'a'), 'SEND_OK 0')
  assert.equal(await sent(broker, 'b'), 'TIMEOUT 3000')
  broker.faults.clear()
  broker.faults.dropAnswer({ client: '127.0.0.1@mine', request: 'send' })
  assert.equal(await sent(broker, 'c'), 'SEND_OK 0')
  assert.equal(await sent(broker, 'd', 'Orders', { instanceName: 'mine' }), 'TIMEOUT 3000')
  broker.faults.clear()
  assert.throws(() => broker.faults.dropAnswer({ request: 'SEND_MESAGE' }), /did you mean SEND_MESSAGE\?/)
  assert.throws(() => broker.faults.refuse({ code: 'SYSTEM_BUSSY' }), /did you mean systemBusy\?/)
})

test('a queue that is paused gives nothing to anybody, and goes on when it is released', async () => {
  await using broker = await start()
  const got: string[] = []
  await broker.consume({ group: 'g', topic: 'Orders', handler: message => void got.push(message.text()) })
  await broker.consume({ group: 'other', topic: 'Other', handler: message => void got.push(message.text()) })
  const pause = broker.faults.pauseQueue({ topic: 'Orders' })
  await broker.send([
    { topic: 'Orders', text: 'held' },
    { topic: 'Other', text: 'free' },
  ])
  await broker.clock.advance('10m')
  assert.deepEqual(got, ['free'])
  pause.release()
  await broker.idle()
  assert.deepEqual(got, ['free', 'held'])
  await broker.send([{ topic: 'Orders', text: 'more' }])
  await broker.clock.advance('1m')
  assert.deepEqual(got, ['free', 'held', 'more'])
})

test('a slow fsync holds back the answers of a broker that syncs, in its time', async () => {
  await using broker = await start({ flushDiskType: 'SYNC_FLUSH' })
  broker.faults.slowSync('1s')
  assert.equal(await sent(broker, 'a'), 'SEND_OK 1000')
  broker.faults.clear()
  assert.equal(await sent(broker, 'b'), 'SEND_OK 0')
  broker.faults.slowSync('30s')
  assert.match(await sent(broker, 'c', 'Orders', { sendMsgTimeout: 20_000 }), /^(FLUSH_DISK_TIMEOUT|BROKER) 5\d\d\d$/)
})

test('a full disk refuses, and takes again when there is room', async () => {
  await using broker = await start()
  const full = broker.faults.fullDisk()
  assert.match(await sent(broker, 'a'), /^BROKER /)
  full.release()
  await broker.clock.advance('1m')
  assert.equal(await sent(broker, 'b'), 'SEND_OK 0')
  assert.deepEqual(await texts(broker), ['b'])
})

test('a broken disk, for so many calls', async () => {
  await using broker = await start()
  broker.faults.brokenDisk({ on: 'write', code: 'EIO', times: 1 })
  assert.match(await sent(broker, 'a'), /^BROKER /)
  await broker.clock.advance('1m')
  assert.match(await sent(broker, 'b'), /^SEND_OK/)
})

test('a restart keeps what was stored, and consumers go on', async () => {
  await using broker = await start()
  const got: string[] = []
  await broker.consume({ group: 'g', topic: 'Orders', handler: message => void got.push(message.text()) })
  await broker.send([{ topic: 'Orders', text: 'before' }])
  await broker.clock.advance('10s')
  await broker.restart()
  await broker.clock.advance('1m')
  await broker.send([{ topic: 'Orders', text: 'after' }])
  await broker.clock.advance('1m')
  assert.deepEqual(got, ['before', 'after'])
})

test('a broker that is killed is away until it is started, and has lost nothing that it acknowledged', async () => {
  await using broker = await start()
  assert.equal(await sent(broker, 'a'), 'SEND_OK 0')
  await broker.kill()
  assert.doesNotMatch(await sent(broker, 'b'), /^SEND_OK/)
  await broker.start()
  assert.match(await sent(broker, 'c'), /^SEND_OK/)
  assert.deepEqual(await texts(broker), ['a', 'c'])
})

test('faults are for clients over sockets, too, and a look inside passes them', async () => {
  await using broker = await startBroker({ topics: ['Orders'] })
  broker.faults.refuse({ code: 'SYSTEM_ERROR' })
  assert.deepEqual(await texts(broker), [])
  const { namesrvAddr } = broker
  const producer = new Producer({ namesrvAddr, group: 'p', retryTimesWhenSendFailed: 0 })
  await assert.rejects(async () => {
    await producer.start()
    await producer.send({ topic: 'Orders', body: 'a' })
  })
  broker.faults.clear()
  await producer.send({ topic: 'Orders', body: 'b' })
  await producer.close()
  assert.deepEqual(await texts(broker), ['b'])
})
