// Level 1 is a delay of one second; the levels go on with 5 s, 10 s, 30 s, 1 m …
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using consumer = new PushConsumer({
  namesrvAddr,
  group: 'delayed',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
})
await using producer = new Producer({ namesrvAddr, group: 'delayed-producer' })
const sentAt = Date.now()
await producer.send({ topic: 'Delayed', body: 'not before a second has gone', delayLevel: 1 })
consumer.subscribe('Delayed')
for await (const message of consumer) {
  console.log(Date.now() - sentAt >= 1000 ? 'in time:' : 'too early:', message.text())
  consumer.ack(message)
  break
}
