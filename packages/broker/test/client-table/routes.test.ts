import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type ConsumerData,
  checkClientConfig,
  dialectOf,
  getAllProducerInfo,
  getConsumerConnectionList,
  getConsumerListByGroup,
  getProducerConnectionList,
  heartBeat,
  subscriptionGroupTableFile,
  topicConfigTableFile,
  unregisterClient,
} from '@skua-mq/protocol'
import { ConsumerGroups } from '../../src/client-table/consumer-groups.ts'
import { GroupNews, newcomerNotifyMs } from '../../src/client-table/group-news.ts'
import { KnownBefore } from '../../src/client-table/known-before.ts'
import { ProducerGroups } from '../../src/client-table/producer-groups.ts'
import { clientRoutes } from '../../src/client-table/routes.ts'
import { GroupTable, groupConfig } from '../../src/group/group-table.ts'
import { topicConfig } from '../../src/topic/topic-config.ts'
import { TopicTable } from '../../src/topic/topic-table.ts'
import { ask, bodyOf, consumerData, machine, subscription, TestConnection } from '../harness.ts'

function broker({ autoCreate = true, announced = () => Promise.resolve() } = {}) {
  const on = machine()
  const topics = new TopicTable({
    ...on,
    file: on.file('/store/config/topics.json', topicConfigTableFile),
    settings: {
      brokerClusterName: 'c1',
      brokerName: 'b1',
      autoCreateTopicEnable: true,
      maxAutoCreatedTopics: 100_000,
      defaultTopicQueueNums: 8,
      clusterTopicEnable: true,
      brokerTopicEnable: true,
      traceTopicEnable: false,
      autoMessageVersionOnTopicLen: false,
      msgTraceTopicName: 'RMQ_SYS_TRACE_TOPIC',
    },
  })
  const groups = new GroupTable({
    ...on,
    file: on.file('/store/config/subscriptionGroup.json', subscriptionGroupTableFile),
    autoCreate: () => autoCreate,
    maxAutoCreated: () => 100_000,
  })
  topics.load()
  groups.load()
  const news = new GroupNews(on.clock)
  const consumers = new ConsumerGroups({ ...on, notify: (group, newcomer) => news.tell(group, newcomer) })
  const producers = new ProducerGroups(on.clock)
  const subscribed: string[] = []
  const routes = clientRoutes({
    dialect: dialectOf(),
    consumers,
    producers,
    before: new KnownBefore({ groups, clock: on.clock }),
    groups,
    topics,
    clock: on.clock,
    announced,
    refusalOf: ({ expressionType }) =>
      expressionType === 'TAG' ? undefined : { code: 1, remark: `${expressionType} is off` },
    subscribed: (group, { topic }) => subscribed.push(`${topic}@${group}`),
  })
  const beat = (
    clientID: string,
    {
      consumers: consumerDataSet = [] as ConsumerData[],
      producers: names = [] as string[],
      connection = new TestConnection(),
    },
  ) =>
    ask(
      routes,
      heartBeat,
      {},
      {
        body: heartBeat.body!.encode({
          clientID,
          consumerDataSet,
          producerDataSet: names.map(groupName => ({ groupName })),
        }),
        connection,
      },
    ).then(reply => ({ reply, connection }))
  return { ...on, routes, topics, groups, consumers, producers, subscribed, beat }
}

const toldOf = (connection: TestConnection) => connection.told.map(({ code, extFields }) => [code, extFields])

describe('34', () => {
  test('registers producers and consumers, creates group and retry topic, and hands subscriptions on', async () => {
    const { beat, topics, groups, consumers, producers, subscribed } = broker()
    const { reply } = await beat('a', { consumers: [consumerData('g', [subscription('T')])], producers: ['p', 'q'] })
    assert.equal(reply.code, 0)
    assert.deepEqual(groups.find('g'), groupConfig('g'))
    assert.deepEqual(topics.find('%RETRY%g'), topicConfig('%RETRY%g', 1))
    assert.equal(consumers.subscription('g', 'T')?.subString, '*')
    assert.deepEqual(
      producers.membersOf('q').map(member => member.clientId),
      ['a'],
    )
    assert.deepEqual(subscribed, ['T@g'])
  })

  test('is answered when the name servers know the retry topic that it made, and at once when it was there', async () => {
    let known = () => {}
    const { beat, consumers } = broker({ announced: () => new Promise(resolve => (known = resolve)) })
    const first = beat('a', { consumers: [consumerData('g', [])] })
    const isAnswered = () =>
      Promise.race([first.then(() => true), new Promise(resolve => setImmediate(resolve, false))])
    assert.equal(await isAnswered(), false)
    // It is a member by then: only the answer waits.
    assert.equal(consumers.find('g')?.members.size, 1)
    known()
    assert.equal((await first).reply.code, 0)
    assert.equal(consumers.find('g')?.members.size, 1)
    await beat('b', { consumers: [consumerData('g', [])] })
    assert.equal(consumers.find('g')?.members.size, 2)
  })

  test('a connection that closes while its first heartbeat waits is no member', async () => {
    let known = () => {}
    const { beat, consumers } = broker({ announced: () => new Promise(resolve => (known = resolve)) })
    const connection = new TestConnection()
    const first = beat('a', { consumers: [consumerData('g', [])], connection })
    connection.close()
    known()
    await first
    assert.equal(consumers.find('g'), undefined)
  })

  test("the retry topic has the group's number of queues, and is not made for a group without retries", async () => {
    const { beat, topics, groups } = broker()
    await groups.put({ ...groupConfig('three'), retryQueueNums: 3 })
    await groups.put({ ...groupConfig('none'), retryQueueNums: 0 })
    await beat('a', {
      consumers: [consumerData('three', []), consumerData('none', []), consumerData('u', [], { unitMode: true })],
    })
    assert.equal(topics.find('%RETRY%three')?.writeQueueNums, 3)
    assert.equal(topics.find('%RETRY%none'), undefined)
    assert.equal(topics.find('%RETRY%u')?.topicSysFlag, 2)
  })

  test('a group that may not be created is registered without a retry topic, as in 4.9', async () => {
    const { beat, topics, groups, consumers } = broker({ autoCreate: false })
    await beat('a', { consumers: [consumerData('g', [subscription('T')])] })
    assert.equal(groups.find('g'), undefined)
    assert.equal(topics.find('%RETRY%g'), undefined)
    assert.equal(consumers.find('g')?.members.size, 1)
  })

  test('tells all members with 40 when one joins, the newcomer a little later', async () => {
    const { beat, clock } = broker()
    const first = (await beat('a', { consumers: [consumerData('g', [])] })).connection
    clock.advance(newcomerNotifyMs)
    first.told.length = 0
    const second = (await beat('b', { consumers: [consumerData('g', [])] })).connection
    clock.advance(0)
    const notice = [40, { consumerGroup: 'g' }]
    assert.deepEqual([toldOf(first), toldOf(second)], [[notice], []])
    clock.advance(newcomerNotifyMs)
    assert.deepEqual([toldOf(first), toldOf(second)], [[notice], [notice]])
  })

  test('of a client without an id is refused', async () => {
    assert.equal((await broker().beat('', { producers: ['p'] })).reply.code, 1)
  })
})

describe('leaving', () => {
  test('a closed connection takes its client out of everything, and the others hear of it', async () => {
    const { beat, clock, consumers, producers } = broker()
    const first = (await beat('a', { consumers: [consumerData('g', [])] })).connection
    const second = (await beat('b', { consumers: [consumerData('g', [])], producers: ['p'] })).connection
    clock.advance(newcomerNotifyMs)
    first.told.length = 0
    second.close()
    clock.advance(0)
    assert.deepEqual(
      [...consumers.find('g')!.members.values()].map(member => member.clientId),
      ['a'],
    )
    assert.deepEqual(producers.membersOf('p'), [])
    assert.deepEqual(toldOf(first), [[40, { consumerGroup: 'g' }]])
  })

  test('35 takes out the groups that it names', async () => {
    const { beat, routes, consumers, producers } = broker()
    const { connection } = await beat('a', { consumers: [consumerData('g', [])], producers: ['p'] })
    await ask(routes, unregisterClient, { clientID: 'a', producerGroup: 'p' }, { connection })
    assert.deepEqual([producers.membersOf('p').length, consumers.find('g')?.members.size], [0, 1])
    await ask(routes, unregisterClient, { clientID: 'a', consumerGroup: 'g' }, { connection })
    assert.equal(consumers.find('g'), undefined)
  })

  test('the rest of a group that forbids notification is not told of a member that unregisters', async () => {
    const { beat, routes, groups } = broker()
    await groups.put({ ...groupConfig('g'), notifyConsumerIdsChangedEnable: false })
    const first = (await beat('a', { consumers: [consumerData('g', [])] })).connection
    const second = (await beat('b', { consumers: [consumerData('g', [])] })).connection
    await ask(routes, unregisterClient, { clientID: 'b', consumerGroup: 'g' }, { connection: second })
    assert.deepEqual(toldOf(first), [])
  })
})

test('38 lists the client ids of a group, each once; of a group with nobody it is refused with 1', async () => {
  const { beat, routes } = broker()
  await beat('a', { consumers: [consumerData('g', [])] })
  await beat('b', { consumers: [consumerData('g', [])] })
  // A client that reconnected stands in the table twice until its old connection is gone.
  await beat('b', { consumers: [consumerData('g', [])] })
  const reply = await ask(routes, getConsumerListByGroup, { consumerGroup: 'g' })
  assert.equal(Buffer.from(reply.body!).toString(), '{"consumerIdList":["a","b"]}')
  assert.equal((await ask(routes, getConsumerListByGroup, { consumerGroup: 'nobody' })).code, 1)
})

test('46 passes what can be served and refuses the rest with its reason', async () => {
  const { routes } = broker()
  const check = (expressionType: string) =>
    ask(
      routes,
      checkClientConfig,
      {},
      {
        body: checkClientConfig.body!.encode({
          clientId: 'a',
          group: 'g',
          subscriptionData: subscription('T', 'a > 1', { expressionType }),
        }),
      },
    )
  assert.equal((await check('TAG')).code, 0)
  const refused = await check('SQL92')
  assert.deepEqual([refused.code, refused.remark], [1, 'SQL92 is off'])
  assert.equal((await ask(routes, checkClientConfig, {})).code, 0, 'no body asks nothing')
})

describe('tools', () => {
  test('203 tells who consumes, what and how; 206 when nobody does', async () => {
    const { beat, routes } = broker()
    const { connection } = await beat('a', { consumers: [consumerData('g', [subscription('T', 'A')])] })
    const found = bodyOf(
      getConsumerConnectionList,
      await ask(routes, getConsumerConnectionList, { consumerGroup: 'g' }),
    )
    assert.deepEqual(found.connectionSet, [
      { clientId: 'a', clientAddr: `10.0.0.9:${connection.remote.port}`, language: 'JAVA', version: 409 },
    ])
    assert.equal(found.subscriptionTable.get('T')?.subString, 'A')
    assert.deepEqual(
      [found.consumeType, found.messageModel, found.consumeFromWhere],
      ['CONSUME_PASSIVELY', 'CLUSTERING', 'CONSUME_FROM_LAST_OFFSET'],
    )
    assert.equal((await ask(routes, getConsumerConnectionList, { consumerGroup: 'h' })).code, 206)
  })

  test('204 tells who produces, 1 when nobody does; 328 tells all with the time of their last heartbeat', async () => {
    const { beat, routes, clock } = broker()
    const { connection } = await beat('a', { producers: ['p'] })
    clock.advance(500)
    await beat('a', { producers: ['p'], connection })
    const { connectionSet } = bodyOf(
      getProducerConnectionList,
      await ask(routes, getProducerConnectionList, { producerGroup: 'p' }),
    )
    const addr = `10.0.0.9:${connection.remote.port}`
    assert.deepEqual(connectionSet, [{ clientId: 'a', clientAddr: addr, language: 'JAVA', version: 409 }])
    assert.equal((await ask(routes, getProducerConnectionList, { producerGroup: 'q' })).code, 1)
    const { data } = bodyOf(getAllProducerInfo, await ask(routes, getAllProducerInfo, {}))
    assert.deepEqual(
      data,
      new Map([
        [
          'p',
          [{ clientId: 'a', remoteIP: `/${addr}`, language: 'JAVA', version: 409, lastUpdateTimestamp: clock.now() }],
        ],
      ]),
    )
  })
})
