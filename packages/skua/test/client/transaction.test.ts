import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, PushConsumer, wantsReply } from '@skua-mq/client'
import { cluster, fresh, sendAll, sleep, until } from './harness.ts'

const running = await cluster()
const { namesrvAddr } = running
const fromFirst = { namesrvAddr, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' } as const

test('a committed transaction is delivered, one that rolled back or threw is not', async () => {
  const topic = fresh('T')
  await sendAll(running, [{ topic, body: 'plain' }])
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  const committed = await producer.transaction({ topic, body: 'committed' }, async sent => {
    assert.equal(sent.sendStatus, 'SEND_OK')
  })
  assert.equal(committed.state, 'commit')
  const rolledBack = await producer.transaction({ topic, body: 'rolled back' }, async () => 'rollback')
  assert.equal(rolledBack.state, 'rollback')
  const thrown = producer.transaction({ topic, body: 'thrown' }, async () => {
    throw new Error('no stock')
  })
  await assert.rejects(thrown, /no stock/)
  const seen: string[] = []
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  consumer.subscribe(topic).onMessage(message => void seen.push(message.text()))
  await consumer.start()
  await until('the committed message', () => seen.includes('committed'))
  await sleep(300)
  assert.deepEqual(seen.sort(), ['committed', 'plain'])
})

test('a request gets its reply, and one without a replier a time-out', async () => {
  const topic = fresh('T')
  await sendAll(running, [{ topic, body: 'warm up the topic' }])
  await using replier = new Producer({ namesrvAddr, group: fresh('pg') })
  await using consumer = new PushConsumer({ ...fromFirst, group: fresh('cg') })
  let deaf = false
  consumer.subscribe(topic).onMessage(async message => {
    if (wantsReply(message) && !deaf) await replier.reply(message, `re: ${message.text()}`)
  })
  await consumer.start()
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  const reply = await producer.request({ topic, body: 'ping' }, { timeoutMs: 10_000 })
  assert.equal(reply.text(), 're: ping')
  deaf = true
  await assert.rejects(producer.request({ topic, body: 'ping' }, { timeoutMs: 500 }), { code: 'TIMEOUT' })
})
