import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cloneGroupOffset,
  deleteSubscriptionGroup,
  deleteTopicInBroker,
  getOffsetHistory,
  invokeBrokerToResetOffset,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { subscription } from '../harness.ts'
import { type Peer, World } from '../world.ts'

async function movesOf(peer: Peer, consumerGroup: string, more: { topic?: string; limit?: number } = {}) {
  const reply = await peer.ask(getOffsetHistory, { consumerGroup, topic: undefined, limit: 1000, ...more })
  return getOffsetHistory.replyBody!.decode(reply.body!).moves
}

const brief = ({ from, to, request }: Awaited<ReturnType<typeof movesOf>>[number]) => [from, to, request]

test('30002 tells who moved an offset by which request, also after a restart; ordinary commits of members are none', async () => {
  const world = await new World({ defaultTopicQueueNums: 1 }).start()
  const [member, tool] = [world.client('member'), world.client('tool')]
  for (let i = 0; i < 9; i++) await member.send('T', `${i}`)
  await member.consume('g', [subscription('T')])
  const commit = (peer: Peer, commitOffset: number, consumerGroup = 'g') =>
    peer.ask(updateConsumerOffset, { consumerGroup, topic: 'T', queueId: 0, commitOffset })
  await commit(member, 5)
  await commit(member, 8)
  assert.deepEqual(await movesOf(tool, 'g'), [])
  await commit(member, 2)
  await commit(tool, 7)
  const reset = { group: 'g', topic: 'T', timestamp: 0, isForce: true, queueId: undefined, offset: undefined }
  await tool.ask(invokeBrokerToResetOffset, reset)
  await tool.ask(cloneGroupOffset, { srcGroup: 'g', destGroup: 'h', topic: 'T', offline: true })
  const moves = await movesOf(tool, 'g')
  assert.deepEqual(moves.map(brief), [
    [8, 2, 'UPDATE_CONSUMER_OFFSET'],
    [2, 7, 'UPDATE_CONSUMER_OFFSET'],
    [7, 0, 'INVOKE_BROKER_TO_RESET_OFFSET'],
  ])
  assert.match(moves[0]!.who, /^member at 10\.\S+:\d+$/)
  assert.match(moves[1]!.who, /^10\.\S+:\d+$/)
  assert.equal(moves[2]!.who, `reset by ${moves[1]!.who}`)
  assert.deepEqual((await movesOf(tool, 'h')).map(brief), [[undefined, 0, 'CLONE_GROUP_OFFSET']])
  await tool.ask(deleteSubscriptionGroup, { groupName: 'h', removeOffset: true, cleanOffset: true })
  const deleted = (await movesOf(tool, 'h')).at(-1)!
  assert.deepEqual(brief(deleted), [0, undefined, 'DELETE_SUBSCRIPTIONGROUP'])
  assert.equal(deleted.who, `the group was deleted by ${moves[1]!.who}`)
  await tool.ask(deleteTopicInBroker, { topic: 'T' })
  assert.deepEqual(brief((await movesOf(tool, 'g')).at(-1)!), [0, undefined, 'DELETE_TOPIC_IN_BROKER'])
  assert.equal((await movesOf(tool, 'g', { limit: 2 })).length, 2)
  assert.deepEqual(await movesOf(tool, 'g', { topic: 'U' }), [])
  await world.settle(world.broker.stop())
  await world.start()
  assert.deepEqual((await movesOf(world.client('later'), 'g')).slice(0, 3), moves)
  await world.stop()
})

test('a reset that members are told to make is told as the reset, too', async () => {
  const world = await new World({ useServerSideResetOffset: false, defaultTopicQueueNums: 1 }).start()
  const [member, tool] = [world.client('member'), world.client('tool')]
  for (let i = 0; i < 9; i++) await member.send('T', `${i}`)
  await member.consume('g', [subscription('T')])
  await member.ask(updateConsumerOffset, { consumerGroup: 'g', topic: 'T', queueId: 0, commitOffset: 5 })
  const reset = { group: 'g', topic: 'T', timestamp: -1, isForce: true, queueId: undefined, offset: undefined }
  await tool.ask(invokeBrokerToResetOffset, reset)
  assert.deepEqual((await movesOf(tool, 'g')).map(brief), [[5, 9, 'INVOKE_BROKER_TO_RESET_OFFSET']])
  await world.stop()
})
