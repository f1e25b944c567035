import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as protocol from '../../src/index.ts'
import { type Codec, parseJavaJson } from '../../src/index.ts'

const queue = '{"brokerName":"b1","queueId":3,"topic":"TopicA"}'
const running = `{"mqTable":{${queue}:{"cachedMsgCount":0,"cachedMsgMaxOffset":0,"cachedMsgMinOffset":0,"cachedMsgSizeInMiB":0,"commitOffset":0,"droped":false,"lastConsumeTimestamp":0,"lastLockTimestamp":0,"lastPullTimestamp":0,"locked":false,"transactionMsgCount":0,"transactionMsgMaxOffset":0,"transactionMsgMinOffset":0,"tryUnlockTimes":0}},"properties":{"PROP_CONSUMEORDERLY":"false"},"statusTable":{"TopicA":{"consumeFailedMsgs":0,"consumeFailedTPS":0.0,"consumeOKTPS":0.0,"consumeRT":0.0,"pullRT":0.0,"pullTPS":0.0}},"subscriptionSet":[]}`

/** Texts that the released jars wrote (remoting.md 8, 11, 13, 16, 17): they come out again byte for byte. */
const texts: Record<string, [string, string]> = {
  'a route (105)': [
    'topicRouteBody',
    '{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:10911","1":"127.0.0.1:10921"},"brokerName":"b1","cluster":"c1"}],"filterServerTable":{},"queueDatas":[{"brokerName":"b1","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}',
  ],
  'a heartbeat (34)': [
    'heartbeatBody',
    '{"clientID":"1.1.1.1@9#1","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"cg","messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG","subString":"TagA || TagB","subVersion":1700000000000,"tagsSet":["TagA","TagB"],"topic":"TopicA"}],"unitMode":false}],"producerDataSet":[{"groupName":"pg"}]}',
  ],
  'a lock request (41)': ['lockBatchBody', `{"clientId":"id","consumerGroup":"cg","mqSet":[${queue}]}`],
  'a lock reply (41)': ['lockOkBody', `{"lockOKMQSet":[${queue}]}`],
  'the members of a group (38)': ['consumerListBody', '{"consumerIdList":["id1","id2"]}'],
  'running info (307)': ['consumerRunningInfoBody', running],
  'the result of 309': [
    'consumeMessageDirectlyBody',
    '{"autoCommit":true,"consumeResult":"CR_SUCCESS","order":false,"remark":"x","spentTimeMills":0}',
  ],
  'a reset (220)': [
    'resetOffsetBody',
    `{"offsetTable":{{"brokerName":"b1","queueId":0,"topic":"TopicA"}:0,${queue}:5}}`,
  ],
  'a reset for C++ (220)': [
    'resetOffsetListBody',
    '{"offsetTable":[{"brokerName":"b1","offset":5,"queueId":3,"topic":"TopicA"}]}',
  ],
  'a registration (103)': [
    'registerBrokerBody',
    '{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":1},"topicConfigTable":{"TopicA":{"attributes":{},"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"TopicA","topicSysFlag":0,"writeQueueNums":4}}}}',
  ],
  'order topics (103)': ['kvTableBody', '{"table":{"orders":"b1:4"}}'],
}

const codecs = protocol as unknown as Record<string, Codec<unknown>>
const codecOf = (name: string) => codecs[name] as Codec<unknown>

for (const [name, [codec, text]] of Object.entries(texts)) {
  test(`${name} is read and written as the jars write it`, () => {
    const { encode, decode } = codecOf(codec)
    assert.equal(encode(decode(Buffer.from(text))).toString(), text)
  })
}

/** Forms that Java writes and we write otherwise: bare integer keys become quoted ones, `$ref` is never written. */
const readOnly: Record<string, [string, string, string]> = {
  'cluster info (106)': [
    'clusterInfoBody',
    '{"brokerAddrTable":{"b1":{"brokerAddrs":{0:"h:1"},"brokerName":"b1","cluster":"c1"}},"clusterAddrTable":{"c1":["b1"]}}',
    '{"brokerAddrTable":{"b1":{"brokerAddrs":{"0":"h:1"},"brokerName":"b1","cluster":"c1"}},"clusterAddrTable":{"c1":["b1"]}}',
  ],
  'consumer offsets (43)': [
    'consumerOffsetBody',
    '{"offsetTable":{"TopicA@g":{0:11,1:12}}}',
    '{"offsetTable":{"TopicA@g":{"0":11,"1":12}}}',
  ],
  'delay offsets (45)': ['delayOffsetBody', '{"offsetTable":{1:10,2:0}}', '{"offsetTable":{"1":10,"2":0}}'],
  'correction offsets (308)': [
    'correctionOffsetBody',
    '{"correctionOffsets":{0:5,2:9223372036854775807}}',
    '{"correctionOffsets":{"0":5,"2":9223372036854775807}}',
  ],
  'topic stats with one offset used twice (202)': [
    'topicStatsBody',
    String.raw`{"offsetTable":{{"brokerName":"b1","queueId":0,"topic":"TopicA"}:{"lastUpdateTimestamp":1700000000000,"maxOffset":10,"minOffset":0},{"brokerName":"b1","queueId":3,"topic":"TopicA"}:{"$ref":"$.offsetTable.MessageQueue\\ \\[topic\\=TopicA\\,\\ brokerName\\=b1\\,\\ queueId\\=0\\]"}}}`,
    '{"offsetTable":{{"brokerName":"b1","queueId":0,"topic":"TopicA"}:{"lastUpdateTimestamp":1700000000000,"maxOffset":10,"minOffset":0},{"brokerName":"b1","queueId":3,"topic":"TopicA"}:{"lastUpdateTimestamp":1700000000000,"maxOffset":10,"minOffset":0}}}',
  ],
  'consumer status with one table used twice (223)': [
    'consumerStatusBody',
    '{"consumerTable":{"cid":{{"brokerName":"b1","queueId":0,"topic":"TopicA"}:0}},"messageQueueTable":{"$ref":"$.consumerTable.cid"}}',
    '{"consumerTable":{"cid":{{"brokerName":"b1","queueId":0,"topic":"TopicA"}:0}},"messageQueueTable":{{"brokerName":"b1","queueId":0,"topic":"TopicA"}:0}}',
  ],
}

for (const [name, [codec, text, ours]] of Object.entries(readOnly)) {
  test(`${name} is read and written in our form`, () => {
    const { encode, decode } = codecOf(codec)
    assert.equal(encode(decode(Buffer.from(text))).toString(), ours)
  })
}

test('every truncated prefix of every body is a SyntaxError or RangeError', () => {
  for (const [codec, text] of [...Object.values(texts), ...Object.values(readOnly)]) {
    for (let cut = 0; cut < text.length; cut++) {
      assert.throws(
        () => codecOf(codec).decode(Buffer.from(text.slice(0, cut))),
        (error: unknown) => error instanceof SyntaxError || error instanceof RangeError,
        `${codec} ${cut}`,
      )
    }
  }
})

test('a route holds no white space, so that Go can split it', () => {
  const [, text] = texts['a route (105)'] as [string, string]
  const { encode, decode } = protocol.topicRouteBody
  assert.doesNotMatch(encode(decode(Buffer.from(text))).toString(), /\s/)
})

test('a running info from Go with a stray blank is read', () => {
  const text = `{"mqTable":{${queue}:{"commitOffset":7}}, "jstack":"x"}`
  const info = protocol.consumerRunningInfoBody.decode(Buffer.from(text))
  assert.equal([...info.mqTable.values()][0]?.commitOffset, 7)
  assert.equal(info.jstack, 'x')
})

test('every request body reads what its own codec writes from an empty object', () => {
  for (const { name, body, replyBody } of protocol.allRequests) {
    for (const codec of [body, replyBody]) {
      if (codec === undefined || codec === protocol.textBody) continue
      const first = codec.encode(codec.decode(Buffer.from('{}')))
      assert.equal(codec.encode(codec.decode(first)).toString(), first.toString(), name)
      assert.doesNotThrow(() => parseJavaJson(first), name)
    }
  }
})
