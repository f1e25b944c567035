import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import {
  checkGroup,
  cloneOffsets,
  commitResets,
  connect,
  consumeDirectly,
  consumerConnections,
  consumerOffsets,
  consumeSpans,
  deleteGroup,
  earliestMessageMs,
  groupConfig,
  groupOffset,
  groupProgress,
  groupSummaries,
  listGroups,
  messageAt,
  messageById,
  messagesByKey,
  messageTrace,
  messageTracks,
  newest,
  offsetAt,
  ownerKey,
  producerConnections,
  producers,
  putGroup,
  putTopic,
  queueEnd,
  queueOwners,
  readQueue,
  readQueues,
  resetOffsets,
  sendMessage,
  topicRoute,
} from '../src/index.ts'
import { cluster, send, until } from './harness.ts'

const { session, namesrvAddr, brokerAddr } = await cluster({ traceTopicEnable: true })
const clusterName = 'DefaultCluster'
const topic = 'Orders'
const group = 'billing'
await putTopic(session, {}, { topic, readQueueNums: 1, writeQueueNums: 1 })
await until('the route', async () => (await topicRoute(session, topic).catch(() => undefined)) !== undefined)
const before = Date.now()
const sent = await send(namesrvAddr, topic, ['a', 'b', 'c'])
const queue = { address: brokerAddr, topic, queueId: 0 }

const consumer = new PushConsumer({
  namesrvAddr,
  group,
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  enableMsgTrace: true,
})
after(() => consumer.close())
const seen: string[] = []
consumer.subscribe(topic).onMessage(message => {
  seen.push(message.text())
})
await consumer.start()
await until('all are consumed', () => seen.length === 3)

test('who consumes, what, and how far it is', async () => {
  const { clients, subscriptions, messageModel } = await consumerConnections(session, group)
  assert.equal(clients.length, 1)
  assert.ok(subscriptions.some(subscription => subscription.topic === topic))
  assert.equal(messageModel, 'CLUSTERING')
  await until('the commit', async () => (await groupProgress(session, group, topic)).queues[0]?.consumerOffset === 3)
  const { queues } = await groupProgress(session, group, topic)
  assert.deepEqual([queues[0]?.brokerOffset, queues[0]?.consumerOffset, queues[0]?.diff], [3, 3, 0])
  const [summary] = await groupSummaries(session)
  assert.deepEqual([summary?.group, summary?.count, summary?.type, summary?.model], [group, 1, 'PUSH', 'CLUSTERING'])
  const owners = await queueOwners(session, group)
  assert.equal(owners.get(ownerKey({ topic, brokerName: 'broker-a', queueId: 0 })), clients[0]?.clientId)
  const check = await checkGroup(session, group)
  assert.deepEqual([check.members.length, check.sameSubscriptions, check.findings], [1, true, []])
  const [place] = await consumerOffsets(session, { group, topic })
  assert.deepEqual([place?.clientId, place?.offset], [clients[0]?.clientId, 3])
  const [span] = await consumeSpans(session, { group, topic })
  assert.ok(span !== undefined && span.minMs >= before - 1000)
  await assert.rejects(consumerConnections(session, 'nobody'), { code: 'NOT_FOUND', message: /no consumer of group/ })
})

test('who produces', async () => {
  const producer = new Producer({ namesrvAddr, group: 'makers' })
  await producer.send({ topic, body: 'd' })
  await until('its heartbeat', async () => (await producers(session, brokerAddr)).some(one => one.group === 'makers'))
  assert.equal((await producerConnections(session, { group: 'makers', topic })).length, 1)
  await producer.close()
  await assert.rejects(producerConnections(session, { group: 'none', topic }), { code: 'NOT_FOUND' })
})

test('messages are found by ids, keys and places, with what became of them', async () => {
  const [first] = sent
  const byId = await messageById(session, first!.offsetMsgId)
  assert.deepEqual([byId?.body.toString(), byId?.tags, byId?.queueOffset], ['a', 'A', 0])
  await until('the index', async () => (await messagesByKey(session, { topic, key: 'key-b' })).length === 1)
  const [byKey] = await messagesByKey(session, { topic, key: sent[1]!.msgId, uniqueKey: true })
  assert.equal(byKey?.body.toString(), 'b')
  assert.equal((await messageAt(session, { topic, brokerName: 'broker-a', queueId: 0 }, 2)).body.toString(), 'c')
  await assert.rejects(messageAt(session, { topic, brokerName: 'broker-a', queueId: 0 }, 99), {
    message: /holds 0 to \d/,
  })
  const [only] = await readQueues(session, topic)
  const bodies: string[] = []
  for await (const message of readQueue(session, only!, { tags: 'A || B' })) bodies.push(message.body.toString())
  assert.deepEqual(bodies.slice(0, 3), ['a', 'b', 'c'])
  assert.deepEqual(await messageTracks(session, byId!), [{ group, state: 'CONSUMED' }])
  await until('the traces', async () => (await messageTrace(session, { msgId: first!.msgId })).length === 1)
  const [step] = await messageTrace(session, { msgId: first!.msgId })
  assert.deepEqual([step?.type, step?.group, step?.status], ['Sub', group, 'success'])
})

test('a message is sent, and consumed again by a member of choice', async () => {
  const done = await sendMessage(session, { topic, body: Buffer.from('by hand'), keys: 'k1', tags: 'T' })
  assert.equal(done?.sendStatus, 'SEND_OK')
  await until('it is consumed', () => seen.includes('by hand'))
  const { clients } = await consumerConnections(session, group)
  const member = { group, clientId: clients[0]!.clientId }
  const result = await consumeDirectly(session, member, { offsetMsgId: done!.offsetMsgId, topic })
  assert.equal(result?.consumeResult, 'CR_SUCCESS')
  assert.equal(seen.filter(body => body === 'by hand').length, 2)
})

test('offsets are looked up, reset while a member runs, committed where none does, and cloned', async () => {
  assert.equal(await queueEnd(session, queue, 'min'), 0)
  assert.equal(await offsetAt(session, queue, before - 1000), 0)
  const end = await queueEnd(session, queue, 'max')
  assert.equal(await offsetAt(session, queue, newest), end)
  assert.ok(Math.abs((await earliestMessageMs(session, queue)) - before) < 60_000)
  const dry = connect({ namesrvAddr, dryRun: true })
  const planned = await resetOffsets(dry, { group, topic, timestampMs: before - 1000 })
  assert.deepEqual([planned.queues[0]?.offset, dry.planned[0]?.request], [0, 'UPDATE_CONSUMER_OFFSET'])
  await dry.close()
  const count = seen.length
  const reset = await resetOffsets(session, { group, topic, timestampMs: before - 1000 })
  assert.deepEqual([reset.by, reset.queues.map(({ offset }) => offset)], ['broker', [0]])
  await until('all is consumed again', () => seen.length >= count + end)
  for (const groupName of ['offline', 'copy']) await putGroup(session, { clusterName }, { groupName })
  const alone = await commitResets(session, { group: 'offline', topic, timestampMs: newest })
  assert.deepEqual([alone.by, alone.queues[0]?.offset], ['commit', end])
  assert.equal(await groupOffset(session, queue, 'offline'), end)
  await assert.rejects(resetOffsets(session, { group: 'unknown', topic, timestampMs: newest }), { responseCode: 26 })
  const back = await commitResets(session, { group: 'offline', topic, timestampMs: before - 1000, force: false })
  assert.deepEqual([back.queues[0]?.consumerOffset, back.queues[0]?.offset], [end, 0])
  await cloneOffsets(session, { from: 'offline', to: 'copy', topic, offline: true })
  assert.equal(await groupOffset(session, queue, 'copy'), 0)
})

test('a group is made, listed, told of and deleted', async () => {
  assert.deepEqual(await putGroup(session, { clusterName }, { groupName: 'made', retryMaxTimes: 3 }), [brokerAddr])
  assert.ok((await listGroups(session)).includes('made'))
  const [at] = await groupConfig(session, 'made')
  assert.deepEqual([at?.config.retryMaxTimes, at?.config.consumeBroadcastEnable], [3, false])
  await deleteGroup(session, { clusterName }, { group: 'made', removeOffset: true })
  await assert.rejects(groupConfig(session, 'made'), { code: 'NOT_FOUND' })
})
