// The broker evaluates SQL92 on the properties of messages (enablePropertyFilter=true).
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'sql-producer' })
for (const [color, weight] of [
  ['red', 3],
  ['red', 9],
  ['green', 9],
] as const) {
  await producer.send({ topic: 'Parcels', body: `${color} ${weight}`, properties: { color, weight: String(weight) } })
}

await using consumer = new PushConsumer({ namesrvAddr, group: 'sql', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
consumer.subscribe('Parcels', "color = 'red' AND weight > 5", { type: 'SQL92' })
for await (const message of consumer) {
  console.log('selected:', message.text())
  consumer.ack(message)
  break
}
