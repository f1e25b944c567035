import assert from 'node:assert/strict'
import test from 'node:test'
import { deleteTopicInBroker, queryConsumerOffset, ResponseCode, updateConsumerOffset } from '@skua-mq/protocol'
import { World } from '../world.ts'

test('a topic whose queues the disk does not let go takes its offsets with it all the same', async () => {
  const world = await new World().start()
  const client = world.client('client')
  for (let i = 0; i < 5; i++) assert.equal((await client.send('T', `message ${i}`)).code, 0)
  await world.pass(5000)
  const place = { consumerGroup: 'g', topic: 'T', queueId: 0 }
  await client.ask(updateConsumerOffset, { ...place, commitOffset: 5 })
  const lift = world.runtime.disk.faults.fail({ on: 'names', code: 'EIO', path: 'consumequeue/T' })
  const refused = await client.ask(deleteTopicInBroker, { topic: 'T' })
  assert.notEqual(refused.code, 0)
  lift()
  await world.pass(5000)
  // The next one of that name begins at 0, and so does who has consumed the one before.
  assert.equal((await client.send('T', 'new')).code, 0)
  const found = await client.ask(queryConsumerOffset, { ...place, setZeroIfNotFound: false })
  assert.equal(found.code, ResponseCode.queryNotFound)
  await world.stop()
})
