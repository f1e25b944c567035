import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  consumerOffsetFile,
  getAllConsumerOffset,
  getAllSubscriptionGroupConfig,
  getAllTopicConfig,
  registerBodySlices,
  subscriptionGroupTableFile,
  topicConfigTableFile,
} from '@skua-mq/protocol'
import { inTurns } from '@skua-mq/remoting'
import { configOf } from '@skua-mq/runtime'
import { GroupTable } from '../src/group/group-table.ts'
import { groupRoutes } from '../src/group/routes.ts'
import { brokerOptions } from '../src/index.ts'
import { OffsetTable } from '../src/offset/offset-table.ts'
import { offsetRoutes } from '../src/offset/routes.ts'
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
    ...topicRoutes({ topics, clock, deleted: () => {} }),
    ...groupRoutes({ groups, clock, deleted: () => {} }),
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
