import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  getAllTopicListFromNameserver,
  getBrokerClusterInfo,
  getRouteInfoByTopic,
  ResponseCode,
  type TopicRouteData,
  topicRouteBody,
} from '@skua-mq/protocol'
import type { NameServers } from '../../src/route/name-servers.ts'
import { RouteTable } from '../../src/route/route-table.ts'
import { topicRoute } from '../../src/route/topic-route.ts'

function data(brokers: Record<string, Record<number, string>>, queues = 2): TopicRouteData {
  const names = Object.keys(brokers)
  return {
    queueDatas: names.map(brokerName => ({
      brokerName,
      perm: 6,
      readQueueNums: queues,
      writeQueueNums: queues,
      topicSysFlag: 0,
    })),
    brokerDatas: names.map(brokerName => ({
      cluster: 'c',
      brokerName,
      brokerAddrs: new Map(Object.entries(brokers[brokerName]!).map(([id, address]) => [Number(id), address])),
    })),
    filterServerTable: new Map(),
    orderTopicConf: undefined,
  }
}

/** A name server with these topics, which counts the questions. */
function table(topics: Map<string, TopicRouteData>) {
  const asked: string[] = []
  let hold: Promise<void> | undefined
  const names = {
    request: async (spec: { code: number }, header: { topic: string }) => {
      if (spec.code === getBrokerClusterInfo.code) return { code: 0, body: undefined }
      if (spec.code === getAllTopicListFromNameserver.code) return { code: 0, body: undefined }
      assert.equal(spec.code, getRouteInfoByTopic.code)
      asked.push(header.topic)
      await hold
      const found = topics.get(header.topic)
      if (header.topic === 'broken') return { code: ResponseCode.systemError, remark: 'no', body: undefined }
      return found === undefined
        ? { code: ResponseCode.topicNotExist, remark: 'none', body: undefined }
        : { code: 0, remark: undefined, body: topicRouteBody.encode(found) }
    },
  } as unknown as NameServers
  const holdBack = () => {
    let go = () => {}
    hold = new Promise(resolve => {
      go = resolve
    })
    return go
  }
  return { routes: new RouteTable(names), asked, holdBack }
}

const twoBrokers = { a: { 0: 'a0', 1: 'a1' }, b: { 0: 'b0' } }

describe('a route', () => {
  test('is asked for once, and known from then on', async () => {
    const { routes, asked } = table(new Map([['T', data(twoBrokers)]]))
    assert.equal(routes.known('T'), undefined)
    const route = await routes.find('T')
    assert.equal(await routes.find('T'), route)
    assert.equal(routes.known('T'), route)
    assert.deepEqual(asked, ['T'])
    assert.equal(route?.publish.length, 4)
  })

  test('that several ask for at once is one question', async () => {
    const { routes, asked, holdBack } = table(new Map([['T', data(twoBrokers)]]))
    const go = holdBack()
    const finds = [routes.find('T'), routes.refresh('T'), routes.need('T')]
    go()
    const [first, ...others] = await Promise.all(finds)
    for (const other of others) assert.equal(other, first)
    assert.equal(asked.length, 1)
  })

  test('of an unknown topic is undefined, asked for each time, and an error for who needs it', async () => {
    const { routes, asked } = table(new Map())
    assert.equal(await routes.find('T'), undefined)
    assert.equal(await routes.find('T'), undefined)
    assert.equal(asked.length, 2)
    await assert.rejects(routes.need('T'), { code: 'NO_ROUTE' })
  })

  test('that the name server refuses is an error with its code', async () => {
    const { routes } = table(new Map())
    await assert.rejects(routes.find('broken'), { code: 'BROKER', responseCode: 1, message: /the route of broken/ })
  })

  test('stays the same object while nothing has changed, so that producers keep their place', async () => {
    const topics = new Map([['T', data(twoBrokers)]])
    const { routes } = table(topics)
    const before = await routes.find('T')
    assert.equal(await routes.refresh('T'), before)
    topics.set('T', data({ ...twoBrokers, a: { 0: 'moved' } }))
    const after = await routes.refresh('T')
    assert.notEqual(after, before)
    assert.equal(routes.known('T'), after)
    assert.equal(routes.master('a'), 'moved')
  })

  test('that is gone at the name server stays known here', async () => {
    const topics = new Map([['T', data(twoBrokers)]])
    const { routes } = table(topics)
    const before = await routes.find('T')
    topics.clear()
    assert.equal(await routes.refresh('T'), undefined)
    assert.equal(routes.known('T'), before)
    assert.equal(routes.master('a'), 'a0')
  })

  test('of a template is kept until the topic itself is known', async () => {
    const topics = new Map<string, TopicRouteData>()
    const { routes } = table(topics)
    const made = topicRoute('T', data({ a: { 0: 'a0' } }, 1))
    routes.keep(made)
    assert.equal(await routes.find('T'), made)
    assert.equal(routes.master('a'), 'a0')
    routes.keep(topicRoute('T', data({ b: { 0: 'b0' } })))
    assert.equal(routes.known('T'), made)
    topics.set('T', data(twoBrokers))
    await routes.refresh('T')
    assert.equal(routes.known('T')?.publish.length, 4)
  })

  test('is given up by one of those who wait without an end for the others', async () => {
    const { routes, holdBack } = table(new Map([['T', data(twoBrokers)]]))
    const go = holdBack()
    const abort = new AbortController()
    const given = assert.rejects(routes.find('T', abort.signal), /enough/)
    const kept = routes.find('T')
    abort.abort(new Error('enough'))
    await given
    go()
    assert.notEqual(await kept, undefined)
  })
})

describe('brokers', () => {
  test('are those of all routes, with all their addresses', async () => {
    const { routes } = table(
      new Map([
        ['T', data({ a: { 0: 'a0', 1: 'a1' } })],
        ['U', data({ b: { 0: 'b0' } })],
      ]),
    )
    await routes.find('T')
    await routes.find('U')
    assert.deepEqual(
      [...routes.addresses()].map(({ brokerName, brokerId, address }) => `${brokerName}${brokerId}=${address}`),
      ['a0=a0', 'a1=a1', 'b0=b0'],
    )
    assert.deepEqual([routes.master('a'), routes.master('b'), routes.master('c')], ['a0', 'b0', undefined])
  })

  test('are gone with the last topic that names them', async () => {
    const { routes } = table(
      new Map([
        ['T', data({ a: { 0: 'a0' } })],
        ['U', data({ a: { 0: 'a0' }, b: { 0: 'b0' } })],
      ]),
    )
    await routes.find('T')
    await routes.find('U')
    routes.retain(new Set(['T']))
    assert.deepEqual([routes.known('U'), routes.master('b'), routes.master('a')], [undefined, undefined, 'a0'])
    routes.retain(new Set())
    assert.deepEqual([...routes.addresses()], [])
  })

  test('are found by the wanted id, for a slave by the next one, else by any', async () => {
    const { routes } = table(new Map([['T', data({ a: { 0: 'm', 2: 's2', 3: 's3' }, slaveOnly: { 4: 's4' } })]]))
    await routes.find('T')
    assert.deepEqual(routes.anyOf('a', 0), { address: 'm', brokerId: 0 })
    assert.deepEqual(routes.anyOf('a', 2), { address: 's2', brokerId: 2 })
    assert.deepEqual(routes.anyOf('a', 1), { address: 's2', brokerId: 2 })
    assert.deepEqual(routes.anyOf('a', 9), { address: 'm', brokerId: 0 })
    assert.deepEqual(routes.anyOf('slaveOnly', 0), { address: 's4', brokerId: 4 })
    assert.equal(routes.anyOf('nobody', 0), undefined)
  })
})
