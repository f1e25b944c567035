import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AdminError,
  brokerConfig,
  brokerFigures,
  brokerRuntimeInfo,
  brokerStats,
  cleanBrokers,
  clusterBrokers,
  connect,
  deleteTopic,
  findTopicRoute,
  getKv,
  getOrderConf,
  listTopics,
  mastersAt,
  putKv,
  putTopic,
  queueUnits,
  setBrokerConfig,
  setTopicPerm,
  topicClusters,
  topicConfigAt,
  topicGroups,
  topicRoute,
  topicStats,
  wipeWritePerm,
} from '../src/index.ts'
import { cluster, send, until } from './harness.ts'

const { session, namesrvAddr, brokerAddr } = await cluster()
const clusterName = 'DefaultCluster'

test('the cluster, its masters, and the figures of a broker', async () => {
  assert.deepEqual(await clusterBrokers(session), [
    { clusterName, brokerName: 'broker-a', brokerId: 0, address: brokerAddr },
  ])
  assert.deepEqual(await mastersAt(session), [brokerAddr])
  const info = await brokerRuntimeInfo(session, brokerAddr)
  const figures = brokerFigures(info)
  assert.equal(figures.version, 'V5_3_3')
  for (const [name, value] of Object.entries(figures)) assert.ok(!Number.isNaN(value), name)
  await assert.rejects(mastersAt(session, { clusterName: 'DefaultClustr' }), {
    code: 'NOT_FOUND',
    message: /Did you mean DefaultCluster\?/,
  })
})

test('a topic is made, changed, told of and deleted', async () => {
  const topic = 'Made'
  assert.deepEqual(
    await putTopic(session, { clusterName }, { topic, readQueueNums: 2, writeQueueNums: 2, order: true }),
    [brokerAddr],
  )
  await until('the route', async () => (await findTopicRoute(session, topic)) !== undefined)
  const route = await topicRoute(session, topic)
  assert.deepEqual(route.queues, [
    { brokerName: 'broker-a', readQueueNums: 2, writeQueueNums: 2, perm: 6, topicSysFlag: 0 },
  ])
  assert.equal(await getOrderConf(session, topic), 'broker-a:2')
  assert.deepEqual(await topicClusters(session, topic), [clusterName])
  assert.deepEqual(await setTopicPerm(session, {}, { topic, perm: 4 }), [{ address: brokerAddr, before: 6, after: 4 }])
  const [at] = await topicConfigAt(session, topic)
  assert.deepEqual([at?.config.perm, at?.config.order, at?.config.readQueueNums], [4, true, 2])
  assert.ok((await listTopics(session)).includes(topic))
  assert.ok((await listTopics(session, clusterName)).includes(topic))
  await deleteTopic(session, { topic, clusterName })
  assert.equal(await findTopicRoute(session, topic), undefined)
  assert.equal(await getOrderConf(session, topic), undefined)
  await assert.rejects(topicRoute(session, 'Mode'), { code: 'NOT_FOUND', message: /topic Mode does not exist/ })
})

test('queues of a topic, their units, statistics and groups', async () => {
  await putTopic(session, {}, { topic: 'Stats', readQueueNums: 1, writeQueueNums: 1 })
  await until('the route', async () => (await findTopicRoute(session, 'Stats')) !== undefined)
  await send(namesrvAddr, 'Stats', ['a', 'b'])
  const [queue] = await topicStats(session, 'Stats')
  assert.deepEqual([queue?.minOffset, queue?.maxOffset, queue?.brokerName], [0, 2, 'broker-a'])
  assert.ok(Math.abs((queue?.lastUpdateMs ?? 0) - Date.now()) < 60_000)
  const { units, maxIndex } = await queueUnits(session, { topic: 'Stats', queueId: 0, index: 0, count: 5 })
  assert.deepEqual([units.length, units[1]?.queueOffset, units[0]?.tagsCode, maxIndex], [2, 1, '65', 2])
  assert.deepEqual(await topicGroups(session, 'Stats'), [])
  const item = await brokerStats(session, brokerAddr, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'Stats' })
  assert.ok(item !== undefined && 'tps' in item.minute)
  assert.equal(await brokerStats(session, brokerAddr, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'None' }), undefined)
})

test('settings of a broker are read and changed; cleaning is taken', async () => {
  const { fileReservedTime } = await brokerConfig(session, brokerAddr)
  assert.equal(fileReservedTime, '72')
  await setBrokerConfig(session, {}, { fileReservedTime: '71' })
  assert.equal((await brokerConfig(session, brokerAddr))['fileReservedTime'], '71')
  for (const what of ['consumeQueues', 'unusedTopics', 'commitLog'] as const)
    assert.deepEqual(await cleanBrokers(session, {}, what), [brokerAddr])
})

test('a dry run sends nothing, and notes what it would have sent', async () => {
  const dry = connect({ namesrvAddr, dryRun: true })
  await putTopic(dry, {}, { topic: 'Never' })
  await deleteTopic(dry, { topic: 'Stats', clusterName })
  await wipeWritePerm(dry, 'broker-a')
  assert.deepEqual(
    dry.planned.map(({ request }) => request),
    [
      'UPDATE_AND_CREATE_TOPIC',
      'DELETE_TOPIC_IN_BROKER',
      'DELETE_TOPIC_IN_NAMESRV',
      'DELETE_KV_CONFIG',
      'WIPE_WRITE_PERM_OF_BROKER',
    ],
  )
  assert.equal(dry.planned[0]?.address, brokerAddr)
  assert.equal(await findTopicRoute(dry, 'Never'), undefined)
  await dry.close()
})

test('errors name the address, the request and what to try', async () => {
  const lost = connect({ namesrvAddr: '127.0.0.1:1' })
  await assert.rejects(listTopics(lost), (error: AdminError) => {
    assert.equal(error.code, 'NAME_SERVER')
    assert.match(error.message, /127\.0\.0\.1:1: .*check that it runs/)
    return true
  })
  await assert.rejects(brokerConfig(lost, '127.0.0.1:1'), {
    code: 'NETWORK',
    address: '127.0.0.1:1',
    request: 'GET_BROKER_CONFIG',
  })
  await assert.rejects(putTopic(session, {}, { topic: 'bad topic' }), (error: AdminError) => {
    assert.deepEqual([error.code, error.responseCode, error.address], ['REFUSED', 29, brokerAddr])
    return true
  })
  await assert.rejects(putKv(connect({}), { namespace: 'n', key: 'k' }, 'v'), { code: 'NAME_SERVER' })
  const half = connect({ namesrvAddr: [namesrvAddr, '127.0.0.1:1'] })
  await assert.rejects(putKv(half, { namespace: 'n', key: 'k' }, 'v'), (error: AdminError) => {
    assert.equal(error.code, 'PARTIAL')
    assert.ok(error.message.includes(`taken by ${namesrvAddr}, but not by all`), error.message)
    return true
  })
  assert.equal(await getKv(half, { namespace: 'n', key: 'k' }), 'v')
  await Promise.all([lost.close(), half.close()])
})
