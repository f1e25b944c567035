// A service that ends gracefully: no new requests, messages in work are finished, offsets are committed.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

const producer = new Producer({ namesrvAddr, group: 'service-producer' })
const consumer = new PushConsumer({ namesrvAddr, group: 'service', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
const server = createServer(async (_request, response) => {
  const { msgId } = await producer.send({ topic: 'Visits', body: 'somebody came' })
  response.end(msgId)
})
const worked = new Promise<void>(resolve => {
  consumer.subscribe('Visits').onMessage(message => {
    console.log('worked on:', message.text())
    resolve()
  })
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
await consumer.start()

await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
await worked

await new Promise(resolve => server.close(resolve))
await consumer.close()
await producer.close()
console.log('closed')
