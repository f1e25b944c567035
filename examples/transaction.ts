// A message that is delivered when a local transaction commits, and never when it fails.
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'transaction-producer' })
await producer.transaction({ topic: 'Payments', body: 'paid 10' }, async () => {
  // The local transaction: a database, say.
})
await producer
  .transaction({ topic: 'Payments', body: 'paid 20' }, async () => {
    throw new Error('no money')
  })
  .catch(error => console.log('rolled back:', error.message))

await using consumer = new PushConsumer({
  namesrvAddr,
  group: 'transaction',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
})
consumer.subscribe('Payments')
for await (const message of consumer) {
  console.log('committed:', message.text())
  consumer.ack(message)
  break
}
