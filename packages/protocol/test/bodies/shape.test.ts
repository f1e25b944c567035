import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkClientBody,
  heartbeatBody,
  javaLongMax,
  queryConsumeQueueBody,
  resetOffsetBody,
  subscriptionGroupConfigBody,
  topicConfigBody,
  topicConfigTableBody,
} from '../../src/index.ts'

test('missing members read as the defaults of Java', () => {
  assert.deepEqual(topicConfigBody.decode(Buffer.from('{"topicName":"T"}')), {
    topicName: 'T',
    readQueueNums: 16,
    writeQueueNums: 16,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
  })
  assert.deepEqual(subscriptionGroupConfigBody.decode(Buffer.from('{"groupName":"g"}')), {
    groupName: 'g',
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
  })
})

test('numbers as texts, texts as numbers, and null are read', () => {
  const config = topicConfigBody.decode(Buffer.from('{"topicName":7,"perm":"4","order":"true","readQueueNums":null}'))
  assert.deepEqual([config.topicName, config.perm, config.order, config.readQueueNums], ['7', 4, true, 16])
})

test('names are matched without case and underscores where the exact one is absent', () => {
  assert.equal(heartbeatBody.decode(Buffer.from('{"clientId":"c"}')).clientID, 'c')
  assert.equal(checkClientBody.decode(Buffer.from('{"client_id":"c"}')).clientId, 'c')
})

test('enums are read by name or number; an unknown one is undefined', () => {
  const model = (json: string) =>
    heartbeatBody.decode(Buffer.from(`{"consumerDataSet":[{"messageModel":${json}}]}`)).consumerDataSet[0]?.messageModel
  assert.equal(model('"CLUSTERING"'), 'CLUSTERING')
  assert.equal(model('0'), 'BROADCASTING')
  assert.equal(model('"LITE_SELECTIVE"'), undefined)
})

test('an expression type that is absent is TAG', () => {
  const read = (json: string) => checkClientBody.decode(Buffer.from(`{"subscriptionData":${json}}`)).subscriptionData
  assert.equal(read('{}').expressionType, 'TAG')
  assert.equal(read('{"expressionType":null}').expressionType, 'TAG')
  assert.equal(read('{"expressionType":"SQL92"}').expressionType, 'SQL92')
})

test('the tags code of an extended unit keeps all 64 bits', () => {
  const read = queryConsumeQueueBody.decode(
    Buffer.from('{"queueData":[{"tagsCode":-9223372036854775808}],"maxQueueIndex":9223372036854775807}'),
  )
  assert.equal(read.queueData[0]?.tagsCode, -9223372036854775808n)
  assert.equal(read.maxQueueIndex, javaLongMax)
  assert.match(queryConsumeQueueBody.encode(read).toString(), /"tagsCode":-9223372036854775808/)
})

test('object keys are read bare and as a text that holds their JSON', () => {
  const bare = resetOffsetBody.decode(Buffer.from('{"offsetTable":{{"brokerName":"b","queueId":1,"topic":"T"}:5}}'))
  const quoted = Buffer.from(String.raw`{"offsetTable":{"{\"brokerName\":\"b\",\"queueId\":1,\"topic\":\"T\"}":5}}`)
  assert.deepEqual(resetOffsetBody.decode(quoted), bare)
  assert.deepEqual([...bare.offsetTable], [[{ topic: 'T', brokerName: 'b', queueId: 1 }, 5]])
})

test("a reset is read from the list form and from Go's pairs", () => {
  const queue = { topic: 'T', brokerName: 'b', queueId: 1 }
  const list = Buffer.from('{"offsetTable":[{"brokerName":"b","offset":5,"queueId":1,"topic":"T"}]}')
  const pairs = Buffer.from('{"offsetTable":[[{"brokerName":"b","queueId":1,"topic":"T"},5]]}')
  assert.deepEqual([...resetOffsetBody.decode(list).offsetTable], [[queue, 5]])
  assert.deepEqual([...resetOffsetBody.decode(pairs).offsetTable], [[queue, 5]])
})

test('what does not fit is a RangeError that names the member', () => {
  const read = (json: string) => topicConfigTableBody.decode(Buffer.from(json))
  assert.throws(() => read('[]'), RangeError)
  assert.throws(() => read('null'), RangeError)
  assert.throws(() => read('{"topicConfigTable":[1]}'), /topicConfigTable/)
  assert.throws(() => read('{"topicConfigTable":{"T":{"perm":"x"}}}'), /topicConfigTable: perm: "x" is not an integer/)
  assert.throws(() => read('{"topicConfigTable":{"T":{"perm":{}}}}'), RangeError)
})

test('a topic called __proto__ stays in its table', () => {
  const text = '{"dataVersion":{"counter":0,"timestamp":0},"topicConfigTable":{"__proto__":{"topicName":"__proto__"}}}'
  const read = topicConfigTableBody.decode(Buffer.from(text))
  assert.deepEqual([...read.topicConfigTable.keys()], ['__proto__'])
  assert.match(topicConfigTableBody.encode(read).toString(), /\{"__proto__":\{/)
})
