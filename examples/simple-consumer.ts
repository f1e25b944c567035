// At your own pace, without a handler: receive, work, acknowledge. What is not acknowledged comes again when its time is over.
import { Producer, SimpleConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'simple-producer' })
for (let i = 0; i < 3; i++) await producer.send({ topic: 'Jobs', body: `job ${i}` })

await using consumer = new SimpleConsumer({
  namesrvAddr,
  group: 'simple',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  invisibleMs: 30_000, // so long a job is ours
})
await consumer.subscribe('Jobs')

for (let done = 0; done < 3; ) {
  for (const message of await consumer.receive({ maxNums: 16, awaitMs: 5_000 })) {
    if (message.text() === 'job 1' && message.reconsumeTimes === 0) {
      await message.nack({ delay: 1000 }) // others go on; this one comes again in a second
      continue
    }
    if (message.text() === 'job 2') await consumer.changeInvisibleMs(message, 60_000) // it takes longer
    await message.ack()
    done++
    console.log('done:', message.text(), message.reconsumeTimes > 0 ? 'at its second try' : '')
  }
}
