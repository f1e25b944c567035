import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  consumerOffsetFile,
  dialectOf,
  getAllConsumerOffset,
  getAllSubscriptionGroupConfig,
  getAllTopicConfig,
  getBrokerConsumeStats,
  getBrokerRuntimeInfo,
  getConsumeStats,
  getTopicStatsInfo,
  invokeBrokerToResetOffset,
  queryConsumeTimeSpan,
  registerBodySlices,
  subscriptionGroupTableFile,
  topicConfigTableFile,
} from '@skua-mq/protocol'
import { inTurns } from '@skua-mq/remoting'
import { configOf } from '@skua-mq/runtime'
import { controlRoutes } from '../src/consumer-control/routes.ts'
import { GroupTable } from '../src/group/group-table.ts'
import { groupRoutes } from '../src/group/routes.ts'
import { brokerOptions } from '../src/index.ts'
import { OffsetTable } from '../src/offset/offset-table.ts'
import { PendingResets } from '../src/offset/pending-resets.ts'
import { offsetRoutes } from '../src/offset/routes.ts'
import { progressRoutes } from '../src/stats/progress-routes.ts'
import { runtimeRoutes } from '../src/stats/runtime-routes.ts'
import { Traffic } from '../src/stats/traffic.ts'
import { topicRoutes } from '../src/topic/routes.ts'
import { TopicTable } from '../src/topic/topic-table.ts'
import { ask, bodyOf, machine } from './harness.ts'

const many = 20_000

/** A broker's tables with thousands of topics, groups and offsets, and the turns of its loop. */
function world() {
  const on = machine()
  const settings = { ...configOf(brokerOptions, {}), brokerClusterName: 'c1', brokerName: 'b1' }
  const topics = new TopicTable({ ...on, file: on.file('/store/config/t.json', topicConfigTableFile), settings })
  const autoCreate = { autoCreate: () => true, maxAutoCreated: () => 100_000 }
  const groups = new GroupTable({
    ...on,
    file: on.file('/store/config/g.json', subscriptionGroupTableFile),
    ...autoCreate,
  })
  const file = on.file('/store/config/o.json', consumerOffsetFile)
  const offsets = new OffsetTable({ ...on, file, intervalMs: () => 5000 })
  for (let i = 0; i < many; i++) {
    topics.ensure(`topic-${i}`, 4, 'test')
    groups.findOrCreate(`group-${i}`)
    for (let queueId = 0; queueId < 4; queueId++)
      offsets.commit({ group: `group-${i}`, topic: `topic-${i}`, queueId, offset: i, who: 'test' })
  }
  const turns = { count: 0 }
  const after = (ms: number, run: () => void) => {
    turns.count++
    return on.clock.after(ms, run)
  }
  return { ...on, turns, after, topics, groups, offsets, clock: Object.assign(Object.create(on.clock), { after }) }
}

test('21, 201 and 43 with thousands of entries are made over many turns', async () => {
  const { clock, turns, topics, groups, offsets } = world()
  const routes = [
    ...topicRoutes({ dialect: dialectOf(), topics, clock, deleted: () => {} }),
    ...groupRoutes({ groups, clock, logEnd: () => 0, deleted: () => {} }),
    ...offsetRoutes({ offsets, clock, hasTopic: () => true, store: {} as never }),
  ]
  for (const request of [getAllTopicConfig, getAllSubscriptionGroupConfig, getAllConsumerOffset]) {
    turns.count = 0
    const reply = await clock.until(ask(routes, request as typeof getAllTopicConfig, {}))
    const table = Object.values(bodyOf(request as typeof getAllTopicConfig, reply)).find(
      one => one instanceof Map,
    ) as Map<string, unknown>
    assert.ok(table.size >= many)
    assert.ok(turns.count >= 10, `${request.name}: ${turns.count} turns`)
  }
})

test('so is what name servers are told, with the version at its beginning', async () => {
  const { clock, turns, topics } = world()
  turns.count = 0
  const dataVersion = topics.version.toJSON()
  const made = inTurns(clock, registerBodySlices({ filterServerList: [], dataVersion, topics: topics.eachWith(6) }))
  topics.ensure('later', 4, 'test')
  const text = (await clock.until(made)).toString()
  assert.ok(text.includes(`"counter":${dataVersion.counter}`))
  assert.ok(text.includes('"topic-19999"'))
  assert.ok(turns.count >= 10, `${turns.count} turns`)
})

test('202, 208, 303, 317 and 222 look at a few queues in a turn, and at each group once', async () => {
  const { clock, turns, offsets, groups } = world()
  let inTurn = { at: 0, looks: 0 }
  let most = 0
  const look = (): number => {
    inTurn = inTurn.at === turns.count ? { ...inTurn, looks: inTurn.looks + 1 } : { at: turns.count, looks: 1 }
    most = Math.max(most, inTurn.looks)
    return 1
  }
  const store = { minOffset: () => 0, maxOffset: look, storedAt: async () => 0, earliestStoredAt: async () => 0 }
  const topic = () => ({ readQueueNums: 4000, writeQueueNums: 4000 })
  const consumers = { find: () => undefined } as never
  const resets = new PendingResets()
  const routes = [
    ...progressRoutes({
      ...{
        store,
        offsets,
        consumers,
        topic,
        brokerName: 'b',
        clock,
        brokerAddr: 'b:1',
        groups: () => groups.all().keys(),
      },
      ...{ consumeTps: () => 0, pulledTo: () => undefined, isOrder: name => name === 'topic-7', topicPutTps: () => 0 },
    }),
    ...controlRoutes({
      ...{ store: store as never, offsets, consumers, resets, clock, wake: () => {}, brokerName: 'b', topic },
      ...{ hasGroup: () => true, settings: { useServerSideResetOffset: true } },
    }),
  ]
  const [group, name] = ['group-7', 'topic-7']
  const wishes = [
    [getTopicStatsInfo, { topic: name }],
    [getConsumeStats, { consumerGroup: group, topic: name }],
    [queryConsumeTimeSpan, { group, topic: name }],
    [getBrokerConsumeStats, { isOrder: true }],
    [invokeBrokerToResetOffset, { group, topic: name, timestamp: -1, isForce: true }],
  ] as const
  for (const [request, header] of wishes) {
    const begun = process.cpuUsage()
    const reply = await clock.until(ask(routes, request as typeof getTopicStatsInfo, header as never))
    assert.deepEqual([request.name, reply.code], [request.name, 0])
    assert.ok(most <= 300, `${request.name}: ${most} in a turn`)
    assert.ok(process.cpuUsage(begun).user < 5_000_000, `${request.name} takes seconds`)
  }
})

test('28 looks at a few of very many queues in a turn', async () => {
  const { clock, turns } = world()
  turns.count = 0
  const queue = { topic: 'T', queueId: 0, minOffset: 0, maxOffset: 0, entries: () => 0 }
  const store = {
    queues: () => Array.from({ length: 100_000 }, () => queue),
    putTimes: '',
    puts: { within: () => 0, mostMs: 0 },
    figures: {},
    refusing: undefined,
  }
  const differing = { differingGroups: [], differencesFound: 0 }
  const routes = runtimeRoutes({
    ...{ clock, version: 409, traffic: new Traffic(clock), store: store as never, differing },
    ...{ settings: configOf(brokerOptions, {}), space: () => undefined, heldPulls: () => 0, told: () => ({}) },
  })
  assert.equal((await clock.until(ask(routes, getBrokerRuntimeInfo, {}))).code, 0)
  assert.ok(turns.count >= 40, `${turns.count} turns`)
})
