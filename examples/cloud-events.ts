// Events in the form of CloudEvents: what Java's CloudEvents SDK writes for RocketMQ is read here, and the reverse.
import { cloudEventMessage, isCloudEvent, Producer, PushConsumer, readCloudEvent } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'cloud-events-producer' })
const event = { id: 'e-1', source: '/shop', type: 'order.paid', tenant: 'north', data: { id: 7, amount: 10 } }
// Attributes as properties, data as the body; and the whole event as JSON.
await producer.send(cloudEventMessage(event, { topic: 'Events', tag: 'paid', keys: event.id }))
await producer.send(cloudEventMessage({ ...event, id: 'e-2' }, { topic: 'Events', mode: 'structured' }))

await using consumer = new PushConsumer({
  namesrvAddr,
  group: 'cloud-events',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
})
let read = 0
const both = new Promise<void>(resolve => {
  consumer.subscribe('Events').onMessage(message => {
    if (!isCloudEvent(message)) return
    const { id, type, tenant, data } = readCloudEvent<{ amount: number }>(message)
    console.log(id, type, tenant, data?.amount)
    if (++read === 2) resolve()
  })
})
await consumer.start()
await both
