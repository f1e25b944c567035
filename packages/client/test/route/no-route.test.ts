import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientError } from '../../src/error.ts'
import { explainNoRoute } from '../../src/route/no-route.ts'

const broker = { cluster: 'c', brokerName: 'b', brokerAddrs: new Map([[0, '10.0.0.1:10911']]) }
const cluster = { brokerAddrTable: new Map([['b', broker]]), clusterAddrTable: new Map([['c', ['b']]]) }
const empty = { brokerAddrTable: new Map(), clusterAddrTable: new Map() }
const explain = (topics: string[], clusters = cluster as typeof empty) =>
  explainNoRoute('Orders', { clusters: async () => clusters, topics: async () => topics, templateMissing: true })

test('no broker is registered', async () => {
  const error = await explain([], empty)
  assert.match(error.message, /no broker is registered/)
  assert.equal(error.retriable, true)
})

test('the topic is known, but its brokers are gone', async () => {
  assert.match((await explain(['Orders'])).message, /none of the brokers of Orders is registered/)
})

test('the topic exists under a namespace', async () => {
  assert.match((await explain(['MQ_INST_1_2%Orders'])).message, /MQ_INST_1_2%Orders does.*namespace/)
})

test('the topic is unknown: the nearest name and the command that creates it are named', async () => {
  const error = await explain(['Order', 'Payments'])
  assert.equal(error.code, 'NO_ROUTE')
  assert.match(error.message, /Did you mean Order\?/)
  assert.match(error.message, /Admin\.createTopic\('Orders'\), or skua mqadmin updateTopic .* -t Orders/)
})

test('a dead letter or retry topic is not to be created: it comes by itself', async () => {
  for (const [topic, expected] of [
    ['%DLQ%cg', /comes with the first dead letter of group cg$/],
    ['%RETRY%cg', /comes with the first message to be tried again of group cg$/],
  ] as const) {
    const clusters = async () => cluster
    const error = await explainNoRoute(topic, { clusters, topics: async () => [], templateMissing: true })
    assert.match(error.message, expected)
    assert.doesNotMatch(error.message, /updateTopic|createTopic/)
  }
})

test('a consumer is told that the topic is not there yet', async () => {
  const clusters = async () => cluster
  const error = await explainNoRoute('Orders', { clusters, topics: async () => [], templateMissing: false })
  assert.match(error.message, /does not exist \(yet\)/)
})

test('a name server that does not answer is the cause itself', async () => {
  const silent = new ClientError('NAME_SERVER', 'no name server answers')
  const ask = async () => Promise.reject(silent)
  assert.equal(await explainNoRoute('T', { clusters: ask, topics: ask, templateMissing: true }), silent)
})
