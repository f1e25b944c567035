// At the application's own pace: poll, work, and let the next poll commit.
import { LitePullConsumer, Producer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'lite-producer' })
for (let i = 0; i < 4; i++) await producer.send({ topic: 'Polled', body: `message ${i}` })

await using consumer = new LitePullConsumer({
  namesrvAddr,
  group: 'lite',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
})
consumer.subscribe('Polled')
let seen = 0
while (seen < 4) seen += (await consumer.poll({ timeoutMs: 1000 })).length
console.log('polled', seen)
await consumer.commit()
