import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Admin, Producer, PushConsumer, type ReceivedMessage } from '@skua-mq/client'
import { cluster, fresh, until } from './harness.ts'

const { namesrvAddr } = await cluster()
/** A broker 4.9 has no POP. */
const skip = process.env['SKUA_REFERENCE_VERSION'] === '4.9.7'

async function topicWith(bodies: readonly string[], queueNum = 1): Promise<string> {
  const topic = fresh('T')
  await using admin = new Admin({ namesrvAddr })
  await admin.createTopic(topic, { queueNum })
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (const body of bodies) await producer.send({ topic, body })
  return topic
}

const popping = (topic: string, group: string, more: object = {}) =>
  new PushConsumer({
    ...{
      namesrvAddr,
      group,
      consumeMode: 'POP',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      popInvisibleTime: 5000,
    },
    ...{ instanceName: fresh('i'), ...more },
  }).subscribe(topic)

describe('push consumers that pop', { skip }, () => {
  test('more members than queues all have work, and each message comes once', async () => {
    const topic = await topicWith(Array.from({ length: 40 }, (_, n) => `${n}`))
    const group = fresh('g')
    const got: [member: number, body: string][] = []
    const members = [0, 1, 2].map(member =>
      popping(topic, group, { popBatchNums: 2, popThresholdForQueue: 2 }).onMessage(async message => {
        got.push([member, message.text()])
        await new Promise(resolve => setTimeout(resolve, 20))
      }),
    )
    for (const member of members) await member.start()
    await until('all have come', () => got.length >= 40)
    assert.equal(new Set(got.map(([, body]) => body)).size, 40)
    assert.equal(got.length, 40)
    assert.deepEqual([...new Set(got.map(([member]) => member))].sort(), [0, 1, 2])
    await until('the group is at the end', async () => (await members[0]!.lag()).total === 0)
    for (const member of members) await member.close()
  })

  test('what fails comes again with its count, what ran long comes once, and the last try is a dead letter', async () => {
    const topic = await topicWith(['fails', 'long', 'hopeless'])
    const group = fresh('g')
    const got: ReceivedMessage[] = []
    const consumer = popping(topic, group, { maxReconsumeTimes: 1 }).onMessage(async message => {
      got.push(message)
      if (message.text() === 'long') await new Promise(resolve => setTimeout(resolve, 7000))
      if (message.text() === 'hopeless' || (message.text() === 'fails' && message.reconsumeTimes === 0))
        await message.nack({ delay: 1000 })
    })
    const dead: number[] = []
    consumer.on('deadLetter', ({ tries }) => dead.push(tries))
    await consumer.start()
    const tries = (body: string) => got.filter(m => m.text() === body).map(({ reconsumeTimes }) => reconsumeTimes)
    await until('it is a dead letter', () => dead.length === 1)
    assert.deepEqual(dead, [2])
    assert.deepEqual(tries('fails'), [0, 1])
    assert.deepEqual(tries('hopeless'), [0, 1])
    // Its time would have been over after five seconds.
    await new Promise(resolve => setTimeout(resolve, 5500))
    assert.deepEqual(tries('long'), [0])
    assert.ok(got.every(message => message.topic === topic))
    await consumer.close()
  })

  test('what a member leaves behind when it closes comes to another one at once', async () => {
    const topic = await topicWith(['1', '2', '3', '4'])
    const group = fresh('g')
    const first = popping(topic, group, { consumeThreadMax: 1, popInvisibleTime: 60_000 })
    const begun: string[] = []
    let release = () => {}
    first.onMessage(
      message =>
        new Promise<undefined>(resolve => {
          begun.push(message.text())
          release = () => resolve(undefined)
        }),
    )
    await first.start()
    await until('it has begun', () => begun.length === 1)
    const closing = first.close()
    release()
    await closing
    const rest: string[] = []
    const second = popping(topic, group).onMessage(message => void rest.push(message.text()))
    await second.start()
    await until('the rest has come', () => rest.length >= 3, 8000)
    assert.deepEqual([...begun, ...rest].sort(), ['1', '2', '3', '4'])
    await second.close()
  })
})
