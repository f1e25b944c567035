import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type ClusterInfo,
  getAllTopicListFromNameserver,
  getBrokerClusterInfo,
  getEarliestMsgStoretime,
  getMinOffset,
  getRouteInfoByTopic,
  type HeaderOf,
  queryMessage,
  ResponseCode,
  searchOffsetByTimestamp,
  topicRouteBody,
  updateAndCreateTopic,
  viewMessageById,
} from '@skua-mq/protocol'
import { ok, RemotingServer, refuse, route } from '@skua-mq/remoting'
import { simRuntime } from '@skua-mq/runtime'
import { Admin, type ClientOptions } from '../../src/index.ts'
import { record } from '../records.ts'
import { routeOf, ScriptedBroker } from '../scripted-cluster.ts'

const queue = { topic: 'T', brokerName: 'b0', queueId: 1 }

/** A name server that knows two clusters, and brokers that keep what they are asked. */
async function cluster() {
  const runtime = simRuntime({ seed: 3, host: 'client' })
  const { clock, network } = runtime
  const created: { at: string; header: HeaderOf<typeof updateAndCreateTopic> }[] = []
  const queries: HeaderOf<typeof queryMessage>[] = []
  const found = { byKey: [] as Buffer[], byId: undefined as Buffer | undefined }
  const servers: RemotingServer[] = []
  const open = async (
    host: string,
    port: number,
    routes: ConstructorParameters<typeof RemotingServer>[0]['routes'],
  ) => {
    const there = simRuntime({ seed: 4, host, clock, network })
    const server = new RemotingServer({
      ...there,
      name: host,
      listen: [{ host: network.addressOf(host), port }],
      routes,
    })
    await clock.until(server.start())
    servers.push(server)
  }
  const addressOf = (host: string) => `${network.addressOf(host)}:10911`
  const info: ClusterInfo = {
    brokerAddrTable: new Map(
      ['b0', 'b1', 'z0'].map(brokerName => [
        brokerName,
        { cluster: brokerName === 'z0' ? 'Z' : 'A', brokerName, brokerAddrs: new Map([[0, addressOf(brokerName)]]) },
      ]),
    ),
    clusterAddrTable: new Map([
      ['Z', ['z0']],
      ['A', ['b0', 'b1']],
    ]),
  }
  const topics = ['T', 'U']
  const route2 = routeOf([new ScriptedBroker(addressOf('b0')), new ScriptedBroker(addressOf('b1'))])
  await open('ns', 9876, [
    route(getBrokerClusterInfo, () => ok({}, getBrokerClusterInfo.replyBody!.encode(info))),
    route(getAllTopicListFromNameserver, () =>
      ok({}, getAllTopicListFromNameserver.replyBody!.encode({ topicList: topics, brokerAddr: undefined })),
    ),
    route(getRouteInfoByTopic, ({ topic }) =>
      topic.endsWith('T') ? ok({}, topicRouteBody.encode(route2)) : refuse(ResponseCode.topicNotExist, topic),
    ),
  ])
  for (const name of ['b0', 'b1', 'z0'])
    await open(name, 10911, [
      route(updateAndCreateTopic, header => {
        created.push({ at: name, header })
        return ok({})
      }),
      route(getMinOffset, ({ queueId }) => ok({ offset: queueId + 10 })),
      route(searchOffsetByTimestamp, ({ timestamp }) => ok({ offset: timestamp / 2 })),
      route(getEarliestMsgStoretime, () => ok({ timestamp: 1234 })),
      route(queryMessage, header => {
        queries.push(header)
        const body = name === 'b0' ? found.byKey[0] : found.byKey[1]
        if (body === undefined) return refuse(ResponseCode.queryNotFound, 'none')
        return ok({ indexLastUpdateTimestamp: 1, indexLastUpdatePhyoffset: 1 }, body)
      }),
      route(viewMessageById, () =>
        found.byId === undefined ? refuse(ResponseCode.systemError, 'none') : ok({}, found.byId),
      ),
    ])
  const settle = <T>(promise: Promise<T>) => clock.until(promise)
  const admin = (options: ClientOptions = {}) =>
    new Admin({ runtime, namesrvAddr: `${network.addressOf('ns')}:9876`, ...options })
  const stop = async () => {
    for (const server of servers) await settle(server.stop())
  }
  return { runtime, settle, admin, created, queries, found, stop, addressOf, info, topics }
}

describe('an admin', () => {
  test('creates a topic at all masters of the first cluster by name, or of the one that is wished', async () => {
    const { settle, admin, created, stop } = await cluster()
    const one = admin()
    await settle(one.createTopic('New'))
    assert.deepEqual(created.map(({ at }) => at).sort(), ['b0', 'b1'])
    const { header } = created[0]!
    assert.deepEqual(
      [header.topic, header.readQueueNums, header.writeQueueNums, header.perm, header.order, header.attributes],
      ['New', 4, 4, 6, false, undefined],
    )
    await settle(one.createTopic('Other', { clusterName: 'Z', queueNum: 8, perm: 4, order: true, messageType: 'FIFO' }))
    const other = created.at(-1)!
    assert.deepEqual(
      [other.at, other.header.readQueueNums, other.header.perm, other.header.order, other.header.attributes],
      ['z0', 8, 4, true, '+message.type=FIFO'],
    )
    await settle(one.close())
    await stop()
  })

  test('does not create what cannot be, and says where there is no master', async () => {
    const { settle, admin, created, info, stop } = await cluster()
    const one = admin()
    await assert.rejects(settle(one.createTopic('a b')), { code: 'ARGUMENT' })
    await assert.rejects(settle(one.createTopic('SCHEDULE_TOPIC_XXXX')), { code: 'ARGUMENT' })
    await assert.rejects(settle(one.createTopic('New', { clusterName: 'Nothing' })), {
      code: 'NO_BROKER',
      message: /cluster Nothing is not known/,
    })
    ;(info.brokerAddrTable as Map<string, unknown>).delete('z0')
    await assert.rejects(settle(one.createTopic('New', { clusterName: 'Z' })), { code: 'NO_BROKER' })
    ;(info.clusterAddrTable as Map<string, unknown>).clear()
    await assert.rejects(settle(one.createTopic('New')), { code: 'NO_BROKER', message: /knows no cluster/ })
    assert.deepEqual(created, [])
    await settle(one.close())
    await stop()
  })

  test('tells clusters, topics, routes and queues', async () => {
    const { settle, admin, addressOf, stop } = await cluster()
    const one = admin()
    const { brokerAddrTable } = await settle(one.clusterInfo())
    assert.equal(brokerAddrTable.get('b1')?.brokerAddrs.get(0), addressOf('b1'))
    assert.deepEqual(await settle(one.topics()), ['T', 'U'])
    assert.equal((await settle(one.topicRoute('T')))?.queueDatas.length, 2)
    assert.equal(await settle(one.topicRoute('Nothing')), undefined)
    assert.equal((await settle(one.messageQueues('T'))).length, 4)
    await assert.rejects(settle(one.messageQueues('Nothing')), { code: 'NO_ROUTE' })
    await settle(one.close())
    await stop()
  })

  test('tells of a queue its ends, and its times', async () => {
    const { settle, admin, stop } = await cluster()
    const one = admin()
    await settle(one.messageQueues('T'))
    assert.equal(await settle(one.minOffset(queue)), 11)
    assert.equal(await settle(one.searchOffset(queue, 500)), 250)
    assert.equal(await settle(one.earliestMessageStoreTime(queue)), 1234)
    await settle(one.close())
    await stop()
  })

  test('wraps names by its namespace, and tells queues without it', async () => {
    const { settle, admin, created, stop } = await cluster()
    const one = admin({ namespace: 'ns' })
    await settle(one.createTopic('New'))
    assert.equal(created[0]!.header.topic, 'ns%New')
    assert.equal((await settle(one.messageQueues('T')))[0]!.topic, 'T')
    await settle(one.close())
    await stop()
  })
})

describe('messages', () => {
  test('with a key come from all brokers, oldest first, without those that only have its hash', async () => {
    const { settle, admin, queries, found, stop } = await cluster()
    const one = admin()
    found.byKey = [
      Buffer.concat([
        record({ queueOffset: 1, storedAtMs: 3000, properties: { KEYS: 'k other' } }),
        record({ queueOffset: 2, storedAtMs: 1000, properties: { KEYS: 'alike' } }),
      ]),
      record({ queueOffset: 3, storedAtMs: 2000, properties: { KEYS: 'k' } }),
    ]
    const messages = await settle(one.queryMessage('T', 'k', { maxNum: 7, beginMs: 5, endMs: 9000 }))
    assert.deepEqual(
      messages.map(({ queueOffset, queue: { brokerName } }) => [queueOffset, brokerName]),
      [
        [3, 'b1'],
        [1, 'b0'],
      ],
    )
    assert.deepEqual(
      queries.map(({ key, maxNum, beginTimestamp, endTimestamp }) => [
        key,
        maxNum,
        Number(beginTimestamp),
        Number(endTimestamp),
      ]),
      [
        ['k', 7, 5, 9000],
        ['k', 7, 5, 9000],
      ],
    )
    found.byKey = []
    assert.deepEqual(await settle(one.queryMessage('T', 'k')), [])
    await settle(one.close())
    await stop()
  })

  test('are found by their unique id, with the topic', async () => {
    const { settle, admin, found, stop } = await cluster()
    const one = admin()
    found.byKey = [Buffer.concat([record({ queueOffset: 1 }), record({ queueOffset: 2 })])]
    const messages = await settle(one.queryMessage('T', 'ID2', { uniqueKey: true }))
    assert.deepEqual(
      messages.map(({ msgId }) => msgId),
      ['ID2'],
    )
    assert.equal((await settle(one.viewMessage('ID2', 'T')))?.queueOffset, 2)
    assert.equal(await settle(one.viewMessage('ID9', 'T')), undefined)
    for (const id of ['ID2', 'zzz', ''])
      await assert.rejects(settle(one.viewMessage(id)), {
        code: 'ARGUMENT',
        message: /is no offset id.*give its topic/,
      })
    await settle(one.close())
    await stop()
  })

  test('are found by their offset id, at a broker that the name server knows', async () => {
    const { settle, admin, found, addressOf, stop } = await cluster()
    const one = admin()
    const [host, port] = addressOf('b0').split(':') as [string, string]
    const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0')
    const idAt = (ip: string) =>
      `${ip
        .split('.')
        .map(part => hex(Number(part), 2))
        .join('')}${hex(Number(port), 8)}${hex(64, 16)}`
    found.byId = record({ queueOffset: 9 })
    assert.equal((await settle(one.viewMessage(idAt(host))))?.queueOffset, 9)
    found.byId = undefined
    assert.equal(await settle(one.viewMessage(idAt(host))), undefined)
    // A unique id has the same form: another machine is not asked.
    assert.equal(await settle(one.viewMessage(idAt('10.99.99.99'))), undefined)
    await settle(one.close())
    await stop()
  })

  test('that wait for their time are told under their own topic', async () => {
    const { settle, admin, found, stop } = await cluster()
    const one = admin()
    found.byKey = [record({ topic: 'SCHEDULE_TOPIC_XXXX', queueOffset: 2, properties: { REAL_TOPIC: 'T', KEYS: 'k' } })]
    const [message] = await settle(one.queryMessage('T', 'k'))
    assert.equal(message?.queue.topic, 'T')
    await settle(one.close())
    await stop()
  })
})

describe('the life of an admin', () => {
  test('begins with its first question, and ends for good', async () => {
    const { runtime, settle, admin, stop } = await cluster()
    const one = admin()
    await settle(one.topics())
    await settle(one.close())
    await assert.rejects(one.topics(), { code: 'STATE', message: /this admin is closed/ })
    await stop()
    await runtime.clock.advanceAsync(60_000)
    assert.equal(runtime.clock.nextInMs, undefined)
  })

  test('without a name server fails, and may be tried again', async () => {
    const { runtime } = await cluster()
    const none = new Admin({ runtime, namesrvAddr: [] })
    await assert.rejects(none.topics(), { code: 'NAME_SERVER' })
    await assert.rejects(none.topics(), { code: 'NAME_SERVER' })
    await none.close()
  })
})
