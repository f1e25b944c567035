// Sends a message and receives it.
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'quick-start-producer' })
const { msgId } = await producer.send({ topic: 'QuickStart', tag: 'greeting', body: 'hello' })
console.log('sent', msgId)

await using consumer = new PushConsumer({
  namesrvAddr,
  group: 'quick-start',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
})
consumer.subscribe('QuickStart', 'greeting')
for await (const message of consumer) {
  console.log('received', message.text())
  consumer.ack(message)
  break
}
