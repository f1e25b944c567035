import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  deleteTopicInBroker,
  dialectOf,
  getAllTopicConfig,
  getSystemTopicListFromBroker,
  getTopicConfig,
  topicConfigTableFile,
  updateAndCreateTopic,
  updateAndCreateTopicList,
} from '@skua-mq/protocol'
import { maxQueuesPerTopic, topicRoutes } from '../../src/topic/routes.ts'
import { topicConfig } from '../../src/topic/topic-config.ts'
import { TopicTable } from '../../src/topic/topic-table.ts'
import { ask, bodyOf, machine } from '../harness.ts'

function broker() {
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
  topics.load()
  const deleted: string[] = []
  const announced: number[] = []
  const routes = topicRoutes({
    dialect: dialectOf(),
    topics,
    clock: on.clock,
    deleted: topic => deleted.push(topic),
    announced: async () => {
      announced.push(topics.version.counter)
    },
  })
  return { topics, routes, deleted, announced, disk: on.disk }
}

const wanted = {
  topic: 'T',
  defaultTopic: 'TBW102',
  readQueueNums: 8,
  writeQueueNums: 4,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: 0,
  order: false,
}

describe('17', () => {
  test('keeps and tells attributes, changes and takes away those that may be, and refuses others with their name', async () => {
    const { topics, routes } = broker()
    const put = (attributes: string, topic = 'T') => ask(routes, updateAndCreateTopic, { ...wanted, topic, attributes })
    const kept = () => Object.fromEntries(topics.find('T')?.attributes ?? [])
    assert.equal((await put('')).code, 0)
    assert.deepEqual(kept(), {})
    assert.equal((await put('+message.type=FIFO,+queue.type=SimpleCQ,+cleanup.policy=DELETE')).code, 0)
    const all = { 'message.type': 'FIFO', 'queue.type': 'SimpleCQ', 'cleanup.policy': 'DELETE' }
    assert.deepEqual(kept(), all)
    assert.equal((await ask(routes, updateAndCreateTopic, { ...wanted, perm: 4 })).code, 0)
    assert.deepEqual(kept(), all, 'a tool that names none changes none')
    assert.equal((await put('+message.type=DELAY')).code, 0)
    assert.deepEqual(kept(), { ...all, 'message.type': 'DELAY' })
    const { body } = await ask(routes, getTopicConfig, { topic: 'T' })
    assert.equal(getTopicConfig.replyBody!.decode(body!).attributes?.get('message.type'), 'DELAY')
    assert.equal((await put('-message.type,-reserve.time')).code, 0)
    const { 'message.type': _, ...others } = all
    assert.deepEqual(kept(), others)
    for (const [attribute, reason] of [
      ['+cleanup.policy=COMPACTION', /asks for something that topics of this broker do not have/],
      ['+queue.type=BatchCQ', /asks for something/],
      ['+reserve.time=5', /asks for something/],
      ['+message.type=fifo', /UNSPECIFIED or NORMAL or FIFO/],
      ['+nonsense=1', /is none of message.type/],
      ['message.type=FIFO', /neither \+name=value nor -name/],
      ['+message.type=FIFO,-message.type', /asked for twice/],
      ['-queue.type', /cannot be taken away/],
    ] as const) {
      const reply = await put(attribute)
      assert.equal(reply.code, 1, attribute)
      assert.match(reply.remark ?? '', reason)
      assert.deepEqual(kept(), others, attribute)
      if (!attribute.startsWith('-')) assert.equal((await put(attribute, 'Other')).code, 1)
    }
    assert.equal(topics.find('Other'), undefined)
  })

  test('creates and changes a topic, and answers when the name servers know it', async () => {
    const { topics, routes, announced } = broker()
    assert.equal((await ask(routes, updateAndCreateTopic, wanted)).code, 0)
    assert.deepEqual(topics.find('T'), { ...topicConfig('T', 8), writeQueueNums: 4 })
    assert.deepEqual(announced, [topics.version.counter])
    await ask(routes, updateAndCreateTopic, { ...wanted, perm: 4, order: true })
    assert.deepEqual(topics.find('T'), { ...topicConfig('T', 8, 4), writeQueueNums: 4, order: true })
  })

  test('bad names, system topics, and values out of range are refused with 1 and the reason', async () => {
    const { topics, routes, announced } = broker()
    const cases = [
      [{ topic: 'a b' }, /characters/],
      [{ topic: 'TBW102' }, /belongs to the broker/],
      [{ topic: 'SCHEDULE_TOPIC_XXXX' }, /belongs to the broker/],
      [{ topic: 'c1' }, /belongs to the broker/],
      [{ readQueueNums: -1 }, /readQueueNums=-1/],
      [{ writeQueueNums: maxQueuesPerTopic + 1 }, /writeQueueNums/],
      [{ perm: 16 }, /perm=16/],
    ] as const
    for (const [change, reason] of cases) {
      const reply = await ask(routes, updateAndCreateTopic, { ...wanted, ...change })
      assert.equal(reply.code, 1)
      assert.match(reply.remark ?? '', reason)
    }
    assert.equal(topics.find('T'), undefined)
    assert.deepEqual(announced, [])
  })
})

describe('215', () => {
  test('deletes a topic and what hangs on it', async () => {
    const { topics, routes, deleted } = broker()
    await ask(routes, updateAndCreateTopic, wanted)
    assert.equal((await ask(routes, deleteTopicInBroker, { topic: 'T' })).code, 0)
    assert.equal(topics.find('T'), undefined)
    assert.deepEqual(deleted, ['T'])
  })

  test('an unknown topic is no error, and what is left of it goes too; a system topic stays', async () => {
    const { topics, routes, deleted } = broker()
    assert.equal((await ask(routes, deleteTopicInBroker, { topic: 'left-over' })).code, 0)
    assert.deepEqual(deleted, ['left-over'])
    assert.equal((await ask(routes, deleteTopicInBroker, { topic: 'BenchmarkTest' })).code, 1)
    assert.equal((await ask(routes, deleteTopicInBroker, { topic: 'a b' })).code, 1)
    assert.ok(topics.find('BenchmarkTest'))
    assert.deepEqual(deleted, ['left-over'])
  })
})

test('21 tells all topics with their version, 351 one of them', async () => {
  const { topics, routes } = broker()
  await ask(routes, updateAndCreateTopic, wanted)
  const all = bodyOf(getAllTopicConfig, await ask(routes, getAllTopicConfig, {}))
  assert.deepEqual(all.dataVersion, topics.version.toJSON())
  assert.deepEqual(
    [...all.topicConfigTable.keys()].sort(),
    topics
      .all()
      .map(topic => topic.topicName)
      .sort(),
  )
  assert.deepEqual(bodyOf(getTopicConfig, await ask(routes, getTopicConfig, { topic: 'T' })), topics.find('T'))
  assert.equal((await ask(routes, getTopicConfig, { topic: 'U' })).code, 17)
})

test('305 lists the system topics and no others', async () => {
  const { routes } = broker()
  await ask(routes, updateAndCreateTopic, wanted)
  const { topicList } = bodyOf(getSystemTopicListFromBroker, await ask(routes, getSystemTopicListFromBroker, {}))
  assert.ok(topicList.includes('TBW102') && topicList.includes('c1_REPLY_TOPIC'))
  assert.equal(topicList.includes('T'), false)
})

describe('18', () => {
  const put = (routes: ReturnType<typeof broker>['routes'], topicConfigList: object[]) =>
    ask(routes, updateAndCreateTopicList, {}, { body: Buffer.from(JSON.stringify({ topicConfigList })) })

  test('makes all topics of the list and changes those that are there; what is left out has its default', async () => {
    const { topics, routes, announced } = broker()
    await topics.put(topicConfig('Known', 2), 'by a test')
    const list = [
      { topicName: 'A', readQueueNums: 3, writeQueueNums: 3, attributes: { '+message.type': 'FIFO' } },
      topicConfig('Known', 2),
      { topicName: 'B', perm: 4 },
    ]
    const version = topics.version.counter
    assert.deepEqual(await put(routes, list), { code: 0, header: {}, body: undefined })
    assert.equal(topics.find('A')?.attributes?.get('message.type'), 'FIFO')
    assert.equal(topics.find('A')?.readQueueNums, 3)
    assert.deepEqual([topics.find('B')?.perm, topics.find('B')?.writeQueueNums], [4, 16])
    assert.deepEqual([announced.length, announced[0]! > version], [1, true], 'the name servers are told once')
    assert.equal((await put(routes, [{ topicName: 'A', attributes: { '-message.type': '' } }])).code, 0)
    assert.equal(topics.find('A')?.attributes?.has('message.type'), false)
  })

  test('one that cannot be has none of them made, and is named', async () => {
    const { topics, routes, announced } = broker()
    for (const [wrong, reason] of [
      [{ topicName: 'a b' }, /^a b: .*a b/],
      [{ topicName: 'TBW102' }, /^TBW102: .*belongs to the broker/],
      [{ topicName: 'C', perm: 99 }, /^C: perm=99/],
      [{ topicName: 'C', attributes: { '+queue.type': 'BatchCQ' } }, /^C: .*BatchCQ/],
    ] as const) {
      const { code, remark } = await put(routes, [{ topicName: 'A' }, wrong])
      assert.equal(code, 1)
      assert.match(remark ?? '', reason)
      assert.equal(topics.find('A'), undefined)
    }
    assert.deepEqual(announced, [])
  })
})
