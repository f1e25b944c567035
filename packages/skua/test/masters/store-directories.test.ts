import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subscriptionGroupTableFile, topicConfigTableFile } from '@skua-mq/protocol'
import { type Event, EventHub, MemoryDisk } from '@skua-mq/runtime'
import { keepIn } from '../../src/command/keep-config.ts'
import { type FamilyConfig, familyOf } from '../../src/masters/family.ts'
import { inherit } from '../../src/masters/heritage.ts'
import { leftBehind, leftBehindRemark } from '../../src/masters/left-behind.ts'
import { hasLeft, ownSettings, ownSettingsPath } from '../../src/masters/own-settings.ts'

const first: FamilyConfig = {
  ...{ brokerName: 'broker-a', listenPort: 10911, storePathRootDir: '/data', storePathCommitLog: '' },
  ...{ metricsExporterType: 'DISABLE', metricsPromExporterPort: 5557, grpcServerPort: 0, dashboardPort: 0 },
}

function put(disk: MemoryDisk, path: string, text: string | Uint8Array): void {
  disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
  disk.writeFile(path, Buffer.from(text as string))
}

const logOf = (index: number) => `/data/masters/${index}/commitlog/00000000000000000000`
const record = Buffer.from([0, 0, 0, 120, 1, 2, 3, 4])

test('fewer masters are refused while the stores of the others hold messages, with the commands that help', () => {
  const disk = new MemoryDisk()
  assert.deepEqual(leftBehind(disk, first, 1), [])
  put(disk, logOf(1), record)
  put(disk, logOf(3), record)
  put(disk, logOf(2), new Uint8Array(1024))
  put(disk, '/data/masters/notes', 'of somebody')
  assert.deepEqual(leftBehind(disk, first, 4), [])
  const behind = leftBehind(disk, first, 1)
  assert.deepEqual(
    behind.map(({ brokerName }) => brokerName),
    ['broker-a-1', 'broker-a-3'],
  )
  const remark = leftBehindRemark(behind, 1)
  assert.match(remark, /broker-a-1 \(\/data\/masters\/1\), broker-a-3 \(\/data\/masters\/3\)/)
  assert.match(remark, /--masters 4 .*skua broker drain broker-a-1/)
})

test('a log elsewhere is looked for there', () => {
  const disk = new MemoryDisk()
  put(disk, '/data/masters/1/config/topics.json', '{}')
  put(disk, '/log-1/00000000000000000000', record)
  assert.equal(leftBehind(disk, first, 1).length, 0)
  assert.equal(leftBehind(disk, { ...first, storePathCommitLog: '/log' }, 1).length, 1)
})

test('a broker that has left its cluster by a drain may be left out', () => {
  const disk = new MemoryDisk()
  const root = '/data/masters/1'
  const keep = keepIn(ownSettingsPath(root), { disk, events: new EventHub() })
  put(disk, logOf(1), record)
  keep(new Map([['brokerPermission', '4']]))
  assert.equal(hasLeft(disk, root), false)
  assert.equal(leftBehind(disk, first, 1).length, 1)
  keep(new Map([['namesrvAddr', '']]))
  assert.equal(hasLeft(disk, root), true)
  assert.deepEqual(leftBehind(disk, first, 1), [])
  keep(new Map([['brokerPermission', '6']]))
  assert.equal(hasLeft(disk, root), false)
})

test('settings of one broker are entries with their place, and no file says nothing', () => {
  const disk = new MemoryDisk()
  assert.deepEqual(ownSettings(disk, '/data'), [])
  put(disk, ownSettingsPath('/data'), 'fileReservedTime=12\n')
  const source = '/data/config/skuaSettings.properties:1'
  assert.deepEqual(ownSettings(disk, '/data'), [{ key: 'fileReservedTime', value: '12', source }])
  put(disk, ownSettingsPath('/data'), 'a=\\u12')
  assert.throws(() => ownSettings(disk, '/data'), /skuaSettings\.properties: .*/)
})

const topic = (topicName: string, writeQueueNums = 4) => ({
  ...{ topicName, readQueueNums: 4, writeQueueNums, perm: 6, topicFilterType: 'SINGLE_TAG' as const, topicSysFlag: 0 },
  order: false,
})

function withTables() {
  const disk = new MemoryDisk()
  const topics = ['Orders', '%RETRY%cg', 'broker-a', 'SELF_TEST_TOPIC', 'RMQ_SYS_TRACE_TOPIC', 'rmq_sys_X', 'TBW102']
  const dataVersion = { counter: 7, timestamp: 1 }
  const topicConfigTable = new Map(topics.map(name => [name, topic(name)]))
  put(disk, '/data/config/topics.json', topicConfigTableFile.encode({ dataVersion, topicConfigTable } as never))
  const group = { groupName: 'cg', consumeEnable: true, retryMaxTimes: 3 }
  const subscriptionGroupTable = new Map([['cg', group]])
  put(
    disk,
    '/data/config/subscriptionGroup.json',
    subscriptionGroupTableFile.encode({ dataVersion, subscriptionGroupTable } as never),
  )
  const told: Event[] = []
  const events = new EventHub()
  events.subscribe(event => told.push(event))
  return { disk, events, told }
}

test('a new master of the family has topics and groups of the first, but those that each makes for itself', () => {
  const { disk, events, told } = withTables()
  const [one, two] = familyOf(first, 2)
  inherit({ disk, events }, one!, two!)
  const topics = topicConfigTableFile.decode(disk.readFile('/data/masters/1/config/topics.json'))
  assert.deepEqual([...topics.topicConfigTable.keys()].sort(), ['%RETRY%cg', 'Orders', 'RMQ_SYS_TRACE_TOPIC'])
  assert.equal(topics.topicConfigTable.get('Orders')?.writeQueueNums, 4)
  const groups = subscriptionGroupTableFile.decode(disk.readFile('/data/masters/1/config/subscriptionGroup.json'))
  assert.equal(groups.subscriptionGroupTable.get('cg')?.retryMaxTimes, 3)
  assert.deepEqual(
    told.map(({ fields }) => fields),
    [{ broker: 'broker-a-1', like: 'broker-a', topics: 3, groups: 1 }],
  )
})

test('one that was started before keeps its own topics, and one beside a new first has none', () => {
  const { disk, events, told } = withTables()
  const [one, two] = familyOf(first, 2)
  put(disk, '/data/masters/1/config/topics.json', 'mine')
  inherit({ disk, events }, one!, two!)
  assert.equal(disk.readFile('/data/masters/1/config/topics.json').toString(), 'mine')
  const empty = new MemoryDisk()
  inherit({ disk: empty, events }, one!, two!)
  assert.deepEqual(empty.list('/data/masters/1/config'), [])
  assert.deepEqual(told, [])
})
