// Delivery is at least once; this handler runs once for each order all the same.
import { idempotent, Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'idempotent-producer' })
for (let i = 0; i < 3; i++)
  await producer.send({ topic: 'Bills', keys: 'bill-1', body: 'bill 1, sent again and again' })
await producer.send({ topic: 'Bills', keys: 'bill-2', body: 'bill 2' })

const handled: string[] = []
let deliveries = 0
await using consumer = new PushConsumer({
  namesrvAddr,
  group: 'idempotent',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  consumeThreadMax: 1,
})
const all = new Promise<void>(resolve => {
  const once = idempotent({ key: message => message.keys[0] ?? message.msgId }, async message => {
    handled.push(message.keys[0] ?? '')
  })
  consumer.subscribe('Bills').onMessage(async (message, context) => {
    const status = await once(message, context)
    if (++deliveries === 4) resolve()
    return status
  })
})
await consumer.start()
await all
console.log(deliveries, 'deliveries,', handled.sort().join(' and '), 'handled once')
