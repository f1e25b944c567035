import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javaHash, queryConsumeQueue, subscriptionData } from '@skua-mq/protocol'
import { World } from '../world.ts'

test('321 tells the units of a queue, and which of them a group would get', async () => {
  const world = await new World({ enablePropertyFilter: true }).start()
  const peer = world.client('client')
  for (const tag of ['A', 'B', 'A'])
    await peer.send('T', tag, { properties: { TAGS: tag, n: tag === 'B' ? '1' : '2' } })
  const ask = async (consumerGroup: string, index = 0, count = 10) => {
    const reply = await peer.ask(queryConsumeQueue, { topic: 'T', queueId: 0, index, count, consumerGroup })
    return { ...reply, data: reply.body === undefined ? undefined : queryConsumeQueue.replyBody!.decode(reply.body) }
  }
  const all = (await ask('')).data!
  assert.deepEqual([all.minQueueIndex, all.maxQueueIndex], [0, 3])
  assert.deepEqual(
    all.queueData.map(unit => [Number(unit.tagsCode), unit.eval]),
    [
      [javaHash('A'), true],
      [javaHash('B'), true],
      [javaHash('A'), true],
    ],
  )
  assert.equal(all.queueData[0]!.physicOffset + all.queueData[0]!.physicSize, all.queueData[1]!.physicOffset)
  await peer.consume('tags', [subscriptionData({ topic: 'T', expression: 'A', subVersion: 1 })!])
  assert.deepEqual(
    (await ask('tags')).data?.queueData.map(unit => unit.eval),
    [true, false, true],
  )
  await peer.consume('sql', [subscriptionData({ topic: 'T', expression: 'n < 2', type: 'SQL92', subVersion: 1 })!])
  assert.deepEqual(
    (await ask('sql', 1, 1)).data?.queueData.map(unit => unit.eval),
    [true],
  )
  assert.deepEqual(
    [all.filterData, (await ask('tags')).data?.filterData, (await ask('nobody')).data?.filterData],
    [undefined, 'null', 'nobody@T is not online!'],
  )
  assert.equal(JSON.parse((await ask('sql')).data?.filterData ?? '').expression, 'n < 2')
  const beyond = await ask('', 3)
  assert.deepEqual([beyond.code, beyond.data, beyond.remark?.includes('index 3')], [0, undefined, true])
  assert.equal((await peer.ask(queryConsumeQueue, { topic: 'None' })).code, 1)
  await world.stop()
})
