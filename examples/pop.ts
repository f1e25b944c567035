// More members than queues: a group that pops owns no queues, so that each member has something to do, and settles each message by itself.
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

await using producer = new Producer({ namesrvAddr, group: 'pop-producer', defaultTopicQueueNums: 1 })
for (let i = 0; i < 6; i++) await producer.send({ topic: 'Pictures', body: `picture ${i}` })

const done = new Set<string>()
const busy = new Set<string>()
let allDone = () => {}
const all = new Promise<void>(resolve => {
  allDone = resolve
})

/** One member; in life each is a process of its own. */
async function member(name: string): Promise<PushConsumer> {
  const consumer = new PushConsumer({
    namesrvAddr,
    group: 'pop',
    instanceName: name,
    consumeMode: 'POP',
    consumeThreadMax: 1,
    popThresholdForQueue: 1, // takes no more than it works at: the others have the rest
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  })
  consumer.subscribe('Pictures').onMessage(async message => {
    if (message.text() === 'picture 3' && message.reconsumeTimes === 0) return message.nack({ delay: 1000 }) // comes again in a second, to whoever has room
    await new Promise(resolve => setTimeout(resolve, 300))
    busy.add(name)
    console.log('done:', message.text(), message.reconsumeTimes > 0 ? 'at its second try' : '')
    if (done.add(message.text()).size === 6) allDone()
  })
  await consumer.start()
  return consumer
}

const members = await Promise.all(['a', 'b', 'c'].map(member))
await all
console.log(`${busy.size} members shared one queue`)
await Promise.all(members.map(consumer => consumer.close()))
