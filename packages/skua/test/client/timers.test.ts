import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { cluster, fresh, sleep, until } from './harness.ts'

const { namesrvAddr, own } = await cluster({ recallMessageEnable: true })

test('a message is recalled before its time, and not afterwards', { skip: !own }, async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  const got: string[] = []
  await using consumer = new PushConsumer({
    ...{ namesrvAddr, group: fresh('cg'), consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' },
  })
  await producer.send({ topic, body: 'first' })
  consumer.subscribe(topic).onMessage(message => void got.push(message.text()))
  await consumer.start()
  await until('the first message', () => got.length === 1)
  const [kept, taken] = await Promise.all(['kept', 'taken'].map(body => producer.send({ topic, body, delayMs: 1500 })))
  assert.equal(await producer.recall(topic, taken!.recallHandle!), taken!.msgId)
  await until('the other one', () => got.length === 2)
  await sleep(1100)
  assert.deepEqual(got, ['first', 'kept'])
  await assert.rejects(producer.recall(topic, kept!.recallHandle!), {
    code: 'BROKER',
    retriable: false,
    message: /time of the message has come/,
  })
  await assert.rejects(producer.recall(topic, 'x'), { code: 'ARGUMENT', message: /no recall handle/ })
})

test('messages with a time of delivery come at it, and not before', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  await producer.send({ topic, body: 'first' })
  const came = new Map<string, number>()
  await using consumer = new PushConsumer({
    ...{ namesrvAddr, group: fresh('cg'), consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' },
  })
  consumer.subscribe(topic).onMessage(message => void came.set(message.text(), Date.now()))
  await consumer.start()
  await until('the first message', () => came.has('first'))
  const due = new Map<string, number>()
  for (const [n, ms] of [2700, 1300, 2100, 1801].entries()) {
    const at = Date.now() + ms
    const wish = n % 2 === 0 ? { delayMs: ms } : { deliverAtMs: at }
    const sent = await producer.send({ topic, body: `m${n}`, ...wish })
    assert.equal(sent.sendStatus, 'SEND_OK')
    assert.match(sent.recallHandle ?? '', /^[A-Za-z0-9_-]+=*$/)
    due.set(`m${n}`, at)
  }
  await until('all four', () => came.size === 5)
  for (const [body, at] of due) {
    const late = came.get(body)! - at
    assert.ok(late >= 0, `${body} came ${-late} ms early`)
    assert.ok(late < 1000, `${body} came ${late} ms late`)
  }
})
