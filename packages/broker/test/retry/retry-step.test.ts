import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printProperties, sendMessageV2 } from '@skua-mq/protocol'
import { maxOffset } from '../delay/max-offset.ts'
import { World } from '../world.ts'

test('a send to a retry topic is a dead letter at the limit, and delayed below it', async () => {
  const world = await new World({ dialect: '4.9' }).start()
  const peer = world.client('consumer')
  const send = (reconsumeTimes: number, maxReconsumeTimes?: number) =>
    peer.ask(
      sendMessageV2,
      {
        producerGroup: 'CLIENT_INNER_PRODUCER',
        topic: '%RETRY%g',
        defaultTopic: 'TBW102',
        defaultTopicQueueNums: 4,
        queueId: 0,
        sysFlag: 0,
        bornTimestamp: world.runtime.clock.now(),
        flag: 0,
        properties: printProperties(Object.entries({ DELAY: '4', RETRY_TOPIC: 'T' })),
        reconsumeTimes,
        unitMode: false,
        batch: false,
        ...(maxReconsumeTimes === undefined ? {} : { maxReconsumeTimes }),
      },
      Buffer.from('hard'),
    )
  assert.equal((await send(1, 2)).code, 0)
  assert.equal(await maxOffset(peer, 'SCHEDULE_TOPIC_XXXX', 3), 1)
  assert.equal((await send(2, 2)).code, 0)
  assert.equal((await send(16)).code, 0)
  assert.equal(await maxOffset(peer, 'SCHEDULE_TOPIC_XXXX', 3), 1)
  assert.equal(await maxOffset(peer, '%DLQ%g', 0), 2)
  await world.stop()
})

test('a send to the retry topic of a group that may not be created is refused with 26', async () => {
  const world = await new World({ dialect: '4.9', autoCreateSubscriptionGroup: false }).start()
  assert.equal((await world.client('consumer').send('%RETRY%unknown', 'x')).code, 26)
  await world.stop()
})
