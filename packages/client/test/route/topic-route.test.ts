import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopicRouteData } from '@skua-mq/protocol'
import { fromTemplate, publishList, sameRoute, subscribeList } from '../../src/route/topic-route.ts'

const queueData = (brokerName: string, rest: Partial<TopicRouteData['queueDatas'][number]> = {}) => ({
  brokerName,
  perm: 6,
  readQueueNums: 2,
  writeQueueNums: 3,
  topicSysFlag: 0,
  ...rest,
})
const brokerData = (brokerName: string, ids: number[]) => ({
  cluster: 'c',
  brokerName,
  brokerAddrs: new Map(ids.map(id => [id, `10.0.0.${id}:10911`])),
})
const route = (
  queueDatas: TopicRouteData['queueDatas'],
  brokerDatas: TopicRouteData['brokerDatas'],
  order?: string,
) => ({
  queueDatas,
  brokerDatas,
  filterServerTable: new Map(),
  orderTopicConf: order,
})
const names = (queues: { brokerName: string; queueId: number }[]) =>
  queues.map(q => `${q.brokerName}${q.queueId}`).join(' ')

test('messages go to writable queues of brokers with a master, brokers by name', () => {
  const queues = [queueData('b'), queueData('a'), queueData('s'), queueData('r', { perm: 4 })]
  const data = route(queues, [
    brokerData('a', [0, 1]),
    brokerData('b', [0]),
    brokerData('s', [1]),
    brokerData('r', [0]),
  ])
  assert.equal(names(publishList('T', data)), 'a0 a1 a2 b0 b1 b2')
})

test('messages are read from readable queues, also of brokers without a master', () => {
  const queues = [queueData('s'), queueData('a'), queueData('w', { perm: 2 })]
  const data = route(queues, [brokerData('a', [0]), brokerData('s', [1]), brokerData('w', [0])])
  assert.equal(names(subscribeList('T', data)), 'a0 a1 s0 s1')
})

test('an order topic has the queues that its configuration fixes', () => {
  const data = route([queueData('a')], [brokerData('a', [0])], 'b:1;a:2')
  assert.equal(names(publishList('T', data)), 'b0 a0 a1')
})

test('a topic made of the template has at most the wanted number of queues, and not more than the template', () => {
  const template = route([queueData('a', { readQueueNums: 8, writeQueueNums: 8 })], [brokerData('a', [0])])
  assert.equal(publishList('T', fromTemplate(template, 4)).length, 4)
  assert.equal(publishList('T', fromTemplate(template, 16)).length, 8)
})

test('a route is the same whatever the order of its parts, and another one when an address moved', () => {
  const a = route([queueData('a'), queueData('b')], [brokerData('a', [0, 1]), brokerData('b', [0])])
  const b = route([queueData('b'), queueData('a')], [brokerData('b', [0]), brokerData('a', [1, 0])])
  assert.ok(sameRoute(a, b))
  const moved = { ...brokerData('b', [0]), brokerAddrs: new Map([[0, '10.9.9.9:1']]) }
  assert.ok(!sameRoute(a, route(a.queueDatas, [brokerData('a', [0, 1]), moved])))
  assert.ok(!sameRoute(a, route([queueData('a'), queueData('b', { perm: 4 })], a.brokerDatas)))
})
