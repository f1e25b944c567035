import assert from 'node:assert/strict'
import { test } from 'node:test'
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
