// A task for each queue of this member's share; it says when it wants to run next.
import { Producer, ScheduledPull } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'scheduled-producer' })
for (let i = 0; i < 4; i++) await producer.send({ topic: 'Scheduled', body: `message ${i}` })

await using service = new ScheduledPull({ namesrvAddr, group: 'scheduled' })
let seen = 0
const all = new Promise<void>(resolve => {
  service.registerPullTask('Scheduled', async (queue, context) => {
    const offset = (await service.consumer.fetchConsumeOffset(queue)) ?? 0
    const { status, messages, nextBeginOffset } = await service.consumer.pull(queue, offset)
    if (status === 'FOUND') seen += messages.length
    await service.consumer.updateConsumeOffset(queue, nextBeginOffset)
    context.pullNextDelayTimeMillis = 100
    if (seen === 4) resolve()
  })
})
await service.start()
await all
console.log('pulled', seen)
