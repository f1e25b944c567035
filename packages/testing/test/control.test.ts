import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { ControlRoutes, ControlServer, startBroker, type TestBroker } from '../src/index.ts'

let broker: TestBroker
let control: ControlServer
let address: string
let ended = 0

// biome-ignore lint/suspicious/noExplicitAny: an answer in JSON, of whatever form
type Json = any

before(async () => {
  broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  control = new ControlServer(new ControlRoutes(broker, () => void ended++))
  address = await control.listen(0)
})
after(async () => {
  await control.close()
  await broker.stop()
})

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; json: Json }> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(`${address}${path}`, { method, ...(text === undefined ? {} : { body: text }) })
  return { status: answer.status, json: await answer.json() }
}

test('it says where to connect, and what time it is', async () => {
  const { json } = await ask('GET', '/')
  assert.equal(json.namesrvAddr, broker.namesrvAddr)
  assert.equal(json.clock.now, '2026-01-01T00:00:00.000Z')
  assert.equal((await ask('POST', '/clock/advance', { by: '1h' })).json.now, '2026-01-01T01:00:00.000Z')
  assert.equal((await ask('POST', '/clock/advance', { to: '2026-01-02T00:00:00Z' })).json.kind, 'virtual')
  const wrong = await ask('POST', '/clock/advance', { by: 'soon' })
  assert.deepEqual([wrong.status, /is no duration/.test(wrong.json.error)], [400, true])
})

test('messages go in and are looked at, as a list or as JSON lines', async () => {
  await ask('POST', '/topics', ['Payments', { name: 'Refunds', queues: 1 }])
  await ask('POST', '/messages', [{ topic: 'Refunds', json: { id: 1 }, tag: 'T', keys: 'k' }])
  const { json: sown } = await ask('POST', '/messages', '{"topic":"Refunds","text":"two","delay":"1h"}\n')
  assert.equal(sown.length, 1)
  const { json: messages } = await ask('GET', '/topics/Refunds/messages')
  assert.deepEqual(
    messages.map((one: Json) => [one.text, one.value, one.tag, one.keys]),
    [['{"id":1}', { id: 1 }, 'T', ['k']]],
  )
  const { json: scheduled } = await ask('GET', '/scheduled')
  assert.deepEqual(
    scheduled.map((one: Json) => [one.topic, one.message.text]),
    [['Refunds', 'two']],
  )
  assert.deepEqual((await ask('GET', '/transactions')).json, [])
  assert.deepEqual((await ask('GET', '/groups/nobody/dead-letters')).json, [])
})

test('faults are set, counted and released', async () => {
  const { namesrvAddr } = broker
  const producer = new Producer({ namesrvAddr, group: 'p', retryTimesWhenSendFailed: 0 })
  await producer.start()
  const { json } = await ask('POST', '/faults', { kind: 'refuse', request: 'send', code: 'SYSTEM_BUSY', times: 1 })
  await assert.rejects(producer.send({ topic: 'Orders', body: 'a' }), /code 2/)
  assert.equal((await ask('GET', `/faults/${json.id}`)).json.hits, 1)
  await producer.send({ topic: 'Orders', body: 'b' })
  assert.equal((await ask('DELETE', `/faults/${json.id}`)).status, 200)
  assert.equal((await ask('DELETE', '/faults')).status, 200)
  for (const [wrong, why] of [
    [{ kind: 'drop' }, /there is no fault "drop": one of dropAnswer/],
    [{}, /"kind" is missing/],
    [{ kind: 'cut', request: 'sned' }, /did you mean send/],
  ] as const) {
    const { status, json } = await ask('POST', '/faults', wrong)
    assert.equal(status, 400)
    assert.match(json.error, why)
  }
  await producer.close()
})

test('expectations answer 409 with what was there', async () => {
  const { namesrvAddr } = broker
  await ask('POST', '/messages', [{ topic: 'Payments', json: { id: 7 } }])
  const consumer = new PushConsumer({
    ...{
      namesrvAddr,
      group: 'books',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      persistConsumerOffsetInterval: 50,
    },
  })
  const wanted = { group: 'books', topic: 'Payments', value: { id: 7 } }
  const before = await ask('POST', '/expect/delivered', wanted)
  assert.equal(before.status, 409)
  assert.match(before.json.error, /not delivered/)
  assert.deepEqual(before.json.expected, { topic: 'Payments', value: { id: 7 } })
  await consumer
    .subscribe('Payments')
    .onMessage(() => {})
    .start()
  assert.equal((await ask('POST', '/expect/delivered', { ...wanted, waitMs: 5000 })).status, 200)
  assert.equal((await ask('POST', '/expect/not-delivered', wanted)).status, 409)
  assert.equal((await ask('GET', '/groups/books/lag?topic=Payments')).json.total, 0)
  assert.equal((await ask('POST', '/expect/dead-letter', { group: 'books' })).status, 409)
  await consumer.close()
})

test('snapshots, a kill and a start', async () => {
  const { json } = await ask('POST', '/snapshots')
  await ask('POST', '/messages', [{ topic: 'Orders', text: 'gone later' }])
  assert.equal((await ask('POST', `/snapshots/${json.id}/restore`)).status, 200)
  const { json: messages } = await ask('GET', '/topics/Orders/messages')
  assert.equal(
    messages.some((one: Json) => one.text === 'gone later'),
    false,
  )
  assert.equal((await ask('POST', '/kill')).status, 200)
  assert.equal((await ask('POST', '/topics', ['Later'])).status, 400)
  assert.equal((await ask('POST', '/start')).status, 200)
  assert.equal((await ask('POST', '/restart')).status, 200)
  assert.equal((await ask('POST', '/stop')).status, 200)
  assert.equal(ended, 1)
})

test('what is not there is 404 with what is; what is no JSON is 400', async () => {
  const { status, json } = await ask('GET', '/topic/Orders')
  assert.equal(status, 404)
  assert.ok(json.known.includes('GET /topics/:topic/messages'))
  assert.equal((await ask('POST', '/topics', '{')).status, 400)
})
