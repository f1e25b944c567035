import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientError, Producer, PushConsumer } from '@skua-mq/client'
import { cluster, fresh, until } from './harness.ts'

const { namesrvAddr } = await cluster()

test('an SQL subscription selects by properties, or the start says which setting the broker lacks', async () => {
  const topic = fresh('T')
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (const amount of ['5', '50', '500']) await producer.send({ topic, body: amount, properties: { amount } })
  const group = fresh('cg')
  await using consumer = new PushConsumer({ namesrvAddr, group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  const seen: string[] = []
  consumer.subscribe(topic, 'amount > 10', { type: 'SQL92' }).onMessage(message => void seen.push(message.text()))
  const refusal = await consumer.start().then(
    () => undefined,
    error => error,
  )
  if (refusal !== undefined) {
    // Apache's brokers have this switched off by default.
    assert.ok(refusal instanceof ClientError)
    assert.equal(refusal.code, 'BROKER')
    assert.match(refusal.message, /filter|SQL92|enablePropertyFilter/i)
    return
  }
  await until('two messages', () => seen.length >= 2)
  assert.deepEqual(seen.sort(), ['50', '500'])
})
