// Reads a queue from an offset that the application keeps itself.
import { Producer, PullConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'pull-producer' })
for (let i = 0; i < 5; i++) await producer.send({ topic: 'Pulled', body: `message ${i}` }, { orderKey: 'one queue' })

await using consumer = new PullConsumer({ namesrvAddr, group: 'pull' })
for (const queue of await consumer.fetchSubscribeMessageQueues('Pulled')) {
  let offset = await consumer.minOffset(queue)
  const end = await consumer.maxOffset(queue)
  while (offset < end) {
    const { status, messages, nextBeginOffset } = await consumer.pull(queue, offset)
    if (status === 'FOUND') console.log(messages.map(message => message.text()).join(', '))
    offset = nextBeginOffset
  }
}
