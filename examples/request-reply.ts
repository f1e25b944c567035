// Asks, and waits for the answer of whoever consumes the question.
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'request-producer' })
await producer.send({ topic: 'Questions', body: 'makes the topic' })
await using consumer = new PushConsumer({ namesrvAddr, group: 'request' })
consumer.subscribe('Questions').onMessage(async message => {
  await producer.reply(message, `${message.text()} Yes.`)
})
await consumer.start()
const reply = await producer.request({ topic: 'Questions', body: 'Is anybody there?' }, { timeoutMs: 10_000 })
console.log('reply:', Buffer.from(reply.body).toString())
