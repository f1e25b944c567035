// What a handler refuses comes again later; what it refuses for good goes to the dead letters of its group.
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'retry-producer' })
await producer.send({ topic: 'Retried', tag: 'shaky', body: 'fails once' })
await producer.send({ topic: 'Retried', tag: 'broken', body: 'fails always' })

await using consumer = new PushConsumer({ namesrvAddr, group: 'retry', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
const recovered = new Promise<void>(resolve => {
  consumer.subscribe('Retried').onMessage((message, context) => {
    if (message.tag === 'broken') {
      context.delayLevelWhenNextConsume = -1 // no further try
      return 'RECONSUME_LATER'
    }
    context.delayLevelWhenNextConsume = 1
    if (message.reconsumeTimes === 0) throw new Error('the first try fails')
    console.log('recovered after', message.reconsumeTimes, 'try:', message.text())
    resolve()
    return undefined
  })
})
await consumer.start()
await recovered

await using letters = new PushConsumer({
  namesrvAddr,
  group: 'dead-letters',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
})
letters.subscribe('%DLQ%retry')
for await (const message of letters) {
  console.log('dead letter:', message.text())
  letters.ack(message)
  break
}
