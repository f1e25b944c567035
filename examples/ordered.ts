// Messages of one order go to one queue, and are consumed one after another.
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'ordered-producer' })
for (const step of ['created', 'paid', 'shipped']) {
  for (const order of ['A', 'B'])
    await producer.send({ topic: 'Orders', body: `${order} ${step}` }, { orderKey: order })
}

const seen: string[] = []
await using consumer = new PushConsumer({
  namesrvAddr,
  group: 'ordered',
  orderly: true,
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
})
const all = new Promise<void>(resolve => {
  consumer.subscribe('Orders').onMessage(message => {
    seen.push(message.text())
    if (seen.length === 6) resolve()
  })
})
await consumer.start()
await all
for (const order of ['A', 'B']) console.log(seen.filter(text => text.startsWith(order)).join(', '))
