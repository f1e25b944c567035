import assert from 'node:assert/strict'
import { test } from 'node:test'
import { popMessage } from '@skua-mq/protocol'
import { World } from '../world.ts'

test("a send to one of the broker's own topics is refused with 16, though the topic exists", async () => {
  const world = await new World().start()
  const client = world.client('producer')
  for (const topic of ['SCHEDULE_TOPIC_XXXX', 'RMQ_SYS_TRANS_HALF_TOPIC', 'SELF_TEST_TOPIC', 'OFFSET_MOVED_EVENT']) {
    const reply = await client.send(topic, 'body')
    assert.equal(reply.code, 16, topic)
    assert.match(reply.remark ?? '', /belongs to the broker/)
  }
  for (const topic of ['BenchmarkTest', 'DefaultCluster', 'fresh'])
    assert.equal((await client.send(topic, 'body')).code, 0)
  await world.stop()
})

test('nobody can send what the broker reads of pops: a check point or an acknowledgement of somebody else', async () => {
  const world = await new World().start()
  const client = world.client('producer')
  await client.send('T', 'one')
  const pop = {
    consumerGroup: 'g',
    topic: 'T',
    queueId: -1,
    maxMsgNums: 1,
    invisibleTime: 1000,
    pollTime: 0,
    bornTime: 0,
  }
  assert.equal((await client.ask(popMessage, { ...pop, initMode: 0, order: false })).code, 0)
  for (const topic of ['rmq_sys_wheel_timer', 'rmq_sys_REVIVE_LOG_DefaultCluster'])
    assert.equal((await client.send(topic, '{}', { properties: { TAGS: 'ack' } })).code, 16, topic)
  await world.stop()
})
