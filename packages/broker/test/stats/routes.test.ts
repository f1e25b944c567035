import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  getBrokerConsumeStats,
  getBrokerRuntimeInfo,
  getConsumeStats,
  getTopicStatsInfo,
  pullMessage,
  queryConsumeTimeSpan,
  querySubscriptionByConsumer,
  queryTopicConsumeByWho,
  queryTopicsByConsumer,
  updateConsumerOffset,
  viewBrokerStatsData,
} from '@skua-mq/protocol'
import { type Peer, World } from '../world.ts'

const start = 1_767_225_600_000

/** Two queues of T: three messages, one a second, in queue 0, none in queue 1. */
async function filled() {
  const world = await new World({ dialect: '4.9', defaultTopicQueueNums: 2 }).start()
  const peer = world.client('client')
  for (let i = 0; i < 3; i++) {
    await peer.send('T', `m${i}`)
    await world.pass(1000)
  }
  return { world, peer }
}

const commit = (peer: Peer, topic: string, commitOffset: number) =>
  peer.ask(updateConsumerOffset, { consumerGroup: 'g', topic, queueId: 0, commitOffset })

test('202 tells of each write queue what it holds and when it was last written', async () => {
  const { world, peer } = await filled()
  const reply = await peer.ask(getTopicStatsInfo, { topic: 'T' })
  const rows = [...getTopicStatsInfo.replyBody!.decode(reply.body!).offsetTable]
  assert.deepEqual(
    rows.map(([queue, { minOffset, maxOffset }]) => [queue.queueId, queue.brokerName, minOffset, maxOffset]),
    [
      [0, 'broker-a', 0, 3],
      [1, 'broker-a', 0, 0],
    ],
  )
  assert.ok(rows[0]![1].lastUpdateTimestamp >= start + 2000 && rows[0]![1].lastUpdateTimestamp < start + 3000)
  assert.equal(rows[1]![1].lastUpdateTimestamp, 0)
  assert.equal((await peer.ask(getTopicStatsInfo, { topic: 'None' })).code, 17)
  await world.stop()
})

test('208 tells how far a group is in each read queue; what an online group no longer wants is left out', async () => {
  const { world, peer } = await filled()
  await commit(peer, 'T', 2)
  const stats = async (header: { topic?: string; topicList?: string } = {}) => {
    const reply = await peer.ask(getConsumeStats, { consumerGroup: 'g', ...header })
    return [...getConsumeStats.replyBody!.decode(reply.body!).offsetTable]
  }
  const rows = await stats()
  assert.deepEqual(
    rows.map(([queue, row]) => [queue.queueId, row.brokerOffset, row.consumerOffset]),
    [
      [0, 3, 2],
      [1, 0, 0],
    ],
  )
  assert.ok(rows[0]![1].lastTimestamp >= start + 1000 && rows[0]![1].lastTimestamp < start + 2000)
  assert.equal((await stats({ topic: 'T' })).length, 2)
  assert.equal((await stats({ topicList: 'T;None' })).length, 2)
  await peer.consume('g', ['Other'])
  assert.equal((await stats()).length, 0)
  await world.stop()
})

test('208 tells how far a group has pulled, which is not less than what it has committed', async () => {
  const { world, peer } = await filled()
  const pulledTo = async () => {
    const reply = await peer.ask(getConsumeStats, { consumerGroup: 'g', topic: 'T' })
    return [...getConsumeStats.replyBody!.decode(reply.body!).offsetTable.values()].map(row => row.pullOffset)
  }
  await commit(peer, 'T', 1)
  assert.deepEqual(await pulledTo(), [1, 0])
  await peer.ask(pullMessage, {
    consumerGroup: 'g',
    topic: 'T',
    queueId: 0,
    queueOffset: 0,
    maxMsgNums: 2,
    sysFlag: 4,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: '*',
    subVersion: 0,
  })
  assert.deepEqual(await pulledTo(), [2, 0])
  await commit(peer, 'T', 3)
  assert.deepEqual(await pulledTo(), [3, 0])
  await world.stop()
})

test('303 tells from when to when messages are, and how late the group is', async () => {
  const { world, peer } = await filled()
  await commit(peer, 'T', 2)
  const reply = await peer.ask(queryConsumeTimeSpan, { topic: 'T', group: 'g' })
  const [busy, empty] = queryConsumeTimeSpan.replyBody!.decode(reply.body!).consumeTimeSpanSet
  const second = (ms: number) => Math.floor((ms - start) / 1000)
  assert.deepEqual([busy!.minTimeStamp, busy!.consumeTimeStamp, busy!.maxTimeStamp].map(second), [0, 1, 2])
  assert.equal(second(start + busy!.delayTime), 1)
  assert.deepEqual([empty!.minTimeStamp, empty!.maxTimeStamp, empty!.delayTime], [-1, -1, 0])
  await world.stop()
})

test('317 tells of all groups, and the sum of what they have before them', async () => {
  const { world, peer } = await filled()
  await commit(peer, 'T', 1)
  await peer.consume('g', ['T'])
  const reply = await peer.ask(getBrokerConsumeStats, { isOrder: false })
  const { consumeStatsList, totalDiff, brokerAddr } = getBrokerConsumeStats.replyBody!.decode(reply.body!)
  assert.deepEqual(
    [consumeStatsList.map(group => [...group.keys()]), totalDiff, brokerAddr],
    [[['g']], 2, world.address],
  )
  const ordered = await peer.ask(getBrokerConsumeStats, { isOrder: true })
  assert.equal(getBrokerConsumeStats.replyBody!.decode(ordered.body!).consumeStatsList.length, 0)
  await world.stop()
})

test('300, 343 and 345 tell who consumes what, online or by offsets', async () => {
  const { world, peer } = await filled()
  await commit(peer, 'T', 1)
  await peer.consume('h', ['T', 'U'])
  const who = await peer.ask(queryTopicConsumeByWho, { topic: 'T' })
  assert.deepEqual(queryTopicConsumeByWho.replyBody!.decode(who.body!).groupList.sort(), ['g', 'h'])
  const topics = await peer.ask(queryTopicsByConsumer, { group: 'h' })
  assert.deepEqual(queryTopicsByConsumer.replyBody!.decode(topics.body!).topicList.sort(), ['T', 'U'])
  const wanted = await peer.ask(querySubscriptionByConsumer, { group: 'h', topic: 'U' })
  assert.equal(querySubscriptionByConsumer.replyBody!.decode(wanted.body!).subscriptionData?.subString, '*')
  await world.stop()
})

test('28 tells figures that follow what was sent and taken, 315 the same by topic and group', async () => {
  const { world, peer } = await filled()
  await peer.ask(pullMessage, {
    consumerGroup: 'g',
    topic: 'T',
    queueId: 0,
    queueOffset: 0,
    maxMsgNums: 9,
    sysFlag: 4,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: '*',
    subVersion: 0,
  })
  await world.pass(20_000)
  const info = await peer.ask(getBrokerRuntimeInfo, {})
  const { table } = getBrokerRuntimeInfo.replyBody!.decode(info.body!)
  assert.deepEqual(
    ['brokerVersionDesc', 'msgPutTotalTodayNow', 'msgGetTotalTodayNow', 'bootTimestamp'].map(key => table.get(key)),
    ['V4_9_8', '3', '3', String(start)],
  )
  assert.match(table.get('putTps') ?? '', /^0\.0+ 0\.\d+ 0\.\d+$/)
  assert.ok(Number(table.get('commitLogMaxOffset')) > 0)
  assert.ok(Number(table.get('earliestMessageTimeStamp')) >= start)
  const put = await peer.ask(viewBrokerStatsData, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'T' })
  assert.equal(typeof viewBrokerStatsData.replyBody!.decode(put.body!).statsMinute.sum, 'number')
  assert.equal((await peer.ask(viewBrokerStatsData, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'None' })).code, 1)
  await world.stop()
})
