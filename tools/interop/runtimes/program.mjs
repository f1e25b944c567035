// What the packed packages do under some runtime: a line for each step, `ok` or `not ok` with the reason. Ends by itself.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as sdk from '@skua-mq/client'
import { startBroker } from '@skua-mq/testing'
import { startStandalone } from 'skua'

const { Producer, PushConsumer, SimpleConsumer, LitePullConsumer } = sdk
const fromFirst = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', logger: false }
const stepMs = 30_000

const steps = []
const step = (name, run) => steps.push([name, run])

/** Resolves with what `subscribe` is told of, once there are so many. */
function collecting(count) {
  const got = []
  let done
  const all = new Promise(resolve => {
    done = resolve
  })
  return {
    all,
    take: one => {
      got.push(one)
      if (got.length === count) done(got)
    },
  }
}

async function receive(at, { topic, group, count, ...options }) {
  const { all, take } = collecting(count)
  const consumer = new PushConsumer({ ...at, ...fromFirst, group, ...options })
  consumer.subscribe(topic).onMessage(message => take(message))
  await consumer.start()
  const got = await all
  await consumer.close()
  return got
}

step('require gives the same classes', () => {
  assert.equal(createRequire(import.meta.url)('@skua-mq/client').Producer, Producer)
})

for (const tls of [false, true])
  step(`SDK and embedded broker over sockets${tls ? ', TLS' : ''}`, async () => {
    const skua = await startStandalone({ port: 0, store: 'memory' })
    const at = { namesrvAddr: skua.namesrvAddr, tls, instanceName: `tls ${tls}` }
    const producer = new Producer({ ...at, group: 'p', checkTransaction: () => 'commit' })
    await producer.send({ topic: 'Plain', body: 'hello', tag: 'A', keys: 'k' })
    await producer.send({ topic: 'Plain', body: 'z'.repeat(100_000) })
    await producer.sendBatch(['a', 'b', 'c'].map(body => ({ topic: 'Plain', body })))
    await producer.transaction({ topic: 'Plain', body: 'paid' }, () => {})
    await producer.send({ topic: 'Plain', body: 'later', delayMs: 300 })
    const got = await receive(at, { topic: 'Plain', group: 'g', count: 7 })
    assert.deepEqual(got.map(message => message.text().slice(0, 5)).sort(), [
      ...['a', 'b', 'c', 'hello', 'later', 'paid', 'zzzzz'],
    ])
    const popped = await receive(at, { topic: 'Plain', group: 'pop', count: 7, consumeMode: 'POP' })
    assert.equal(popped.length, 7)
    for (const body of ['1', '2', '3']) await producer.send({ topic: 'Order', body }, { orderKey: 'x' })
    const ordered = await receive(at, { topic: 'Order', group: 'o', count: 3, orderly: true })
    assert.deepEqual(
      ordered.map(message => message.text()),
      ['1', '2', '3'],
    )
    await producer.close()
    await skua.stop()
  })

step('request and reply, simple and lite pull consumers', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  const at = { namesrvAddr: skua.namesrvAddr }
  const producer = new Producer({ ...at, group: 'p' })
  await producer.send({ topic: 'Jobs', body: 'job' })
  const simple = new SimpleConsumer({ ...at, ...fromFirst, group: 's' })
  await simple.subscribe('Jobs')
  const [job] = await simple.receive()
  assert.equal(job.text(), 'job')
  await job.ack()
  await simple.close()
  const lite = new LitePullConsumer({ ...at, ...fromFirst, group: 'l' })
  await lite.subscribe('Jobs')
  await lite.start()
  const [pulled] = await lite.poll({ timeoutMs: 10_000 })
  assert.equal(pulled.text(), 'job')
  await lite.close()
  await producer.send({ topic: 'Ask', body: 'made' })
  const answering = new PushConsumer({ ...at, ...fromFirst, group: 'r' })
  const replier = new Producer({ ...at, group: 'replier' })
  answering.subscribe('Ask').onMessage(async message => {
    if (sdk.wantsReply(message)) await replier.reply(message, `${message.text()}!`)
  })
  await answering.start()
  const reply = await producer.request({ topic: 'Ask', body: 'there?' }, { timeoutMs: 10_000 })
  assert.equal(reply.text(), 'there?!')
  await answering.close()
  await replier.close()
  await producer.close()
  await skua.stop()
})

step('a broker on disk keeps its messages', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skua-runtime-'))
  try {
    const store = join(folder, 'store')
    for (const round of [1, 2]) {
      const skua = await startStandalone({ port: 0, store, config: { flushDiskType: 'SYNC_FLUSH' } })
      const at = { namesrvAddr: skua.namesrvAddr }
      const producer = new Producer({ ...at, group: 'p' })
      await producer.send({ topic: 'Kept', body: `${round}`, keys: 'kept' })
      await producer.close()
      const got = await receive(at, { topic: 'Kept', group: `g${round}`, count: round })
      assert.deepEqual(got.map(message => message.text()).sort(), ['1', '2'].slice(0, round))
      await skua.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

step('test kit: a virtual day of retries, delays and transactions', async () => {
  const broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  await broker.consume({
    group: 'billing',
    topic: 'Orders',
    handler: message => {
      if (message.json().id === 7) throw new Error('nobody pays')
    },
  })
  const producer = await broker.producer({ checkTransaction: () => 'commit' })
  await producer.send({ topic: 'Orders', body: '{"id":7}' })
  await producer.send({ topic: 'Orders', body: '{"id":8}', delayMs: 3_600_000 })
  await producer.transaction({ topic: 'Orders', body: '{"id":9}' }, () => 'unknown')
  await broker.clock.advance('1d')
  await broker.expectDeadLetter({ group: 'billing', value: { id: 7 } })
  await broker.expectDelivered({ group: 'billing', topic: 'Orders', value: { id: 8 }, times: 1 })
  await broker.expectDelivered({ group: 'billing', topic: 'Orders', value: { id: 9 }, times: 1 })
  await assert.rejects(broker.expectDelivered({ group: 'billing', value: { id: 10 } }), /expected to be delivered/)
  await broker.stop()
})

step('test kit: faults, kill, snapshot, and clients over sockets', async () => {
  const broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const producer = await broker.producer({ sendMsgTimeout: 3000 })
  const fault = broker.faults.dropAnswer({ request: 'send', times: 1 })
  const sending = producer.send({ topic: 'Orders', body: 'twice' }, { retryFor: 60_000 })
  await broker.clock.until(sending)
  assert.equal(fault.hits, 1)
  assert.equal((await broker.messages('Orders')).length, 2)
  const snapshot = await broker.snapshot()
  await broker.kill()
  await broker.start()
  assert.equal((await broker.messages('Orders')).length, 2)
  const got = await receive({ namesrvAddr: broker.namesrvAddr }, { topic: 'Orders', group: 'g', count: 2 })
  assert.equal(got.length, 2)
  await broker.restore(snapshot)
  await broker.stop()
})

step('idempotence and broadcasting keep files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skua-runtime-'))
  const skua = await startStandalone({ port: 0, store: 'memory' })
  try {
    const at = { namesrvAddr: skua.namesrvAddr }
    const producer = new Producer({ ...at, group: 'p' })
    for (let i = 0; i < 2; i++) await producer.send({ topic: 'Bills', body: 'bill', keys: 'bill-1' })
    await producer.close()
    let handled = 0
    const { all, take } = collecting(2)
    const broadcasting = { messageModel: 'BROADCASTING', localOffsetStoreDir: join(folder, 'offsets') }
    const consumer = new PushConsumer({ ...at, ...fromFirst, group: 'once', ...broadcasting })
    const store = new sdk.FileIdempotentStore(join(folder, 'done.log'))
    const once = sdk.idempotent({ key: message => message.keys[0], store }, () => {
      handled++
    })
    consumer.subscribe('Bills').onMessage(async (message, context) => {
      await once(message, context)
      take(message)
    })
    await consumer.start()
    await all
    await consumer.close()
    assert.equal(handled, 1)
    assert.equal(
      readdirSync(folder, { recursive: true }).filter(name => /(offsets.json|done.log)$/.test(name)).length,
      2,
    )
  } finally {
    await skua.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

let failed = 0
for (const [name, run] of steps) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${stepMs} ms`)), stepMs)
  })
  const begunMs = Date.now()
  try {
    await Promise.race([run(), late])
    console.log(`ok ${name} (${Date.now() - begunMs} ms)`)
  } catch (error) {
    failed++
    console.log(`not ok ${name}: ${error?.stack ?? error}`)
  } finally {
    clearTimeout(timer)
  }
}
console.log(failed === 0 ? 'all ok' : `${failed} failed`)
if (failed > 0) process.exit(1)
