import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ConsumerOffsetTable,
  consumerOffsetFile,
  getAllConsumerOffset,
  getAllDelayOffset,
  getBrokerRuntimeInfo,
  type RequestSpec,
  ResponseCode,
} from '@skua-mq/protocol'
import { EventHub, SimClock } from '@skua-mq/runtime'
import { TableSync, tablesNotSynced } from '../../src/ha/table-sync.ts'
import { OffsetTable } from '../../src/offset/offset-table.ts'
import { machine } from '../harness.ts'

test('what a master said before it was away counts nothing for what it has written at the same places since', async () => {
  const clock = new SimClock()
  const master = { offset: 7, end: 1000 }
  const slave = { maxPhysicalOffset: 900, sync: async () => true, onArrival: () => {} }
  const link = { isFollowing: true, connections: 1, endHeard: () => {} }
  const taken: number[] = []
  const request = async (_: string, spec: RequestSpec) => {
    const table = new Map([['commitLogMaxOffset', String(master.end)]])
    if (spec === getBrokerRuntimeInfo)
      return { code: ResponseCode.success, body: getBrokerRuntimeInfo.replyBody!.encode({ table } as never) }
    if (spec !== getAllConsumerOffset) return { code: ResponseCode.requestCodeNotSupported }
    const offsetTable = new Map([['T@g', new Map([[0, master.offset]])]])
    return { code: ResponseCode.success, body: getAllConsumerOffset.replyBody!.encode({ offsetTable }) }
  }
  const offsets = {
    takeAll: (table: ConsumerOffsetTable['offsetTable']) => {
      for (const [, queues] of table) taken.push(queues.get(0)!)
      return 0
    },
    dropGone: () => {},
  }
  const none = { replace: async () => {}, find: () => undefined, ensure: () => {} }
  const sync = new TableSync({
    ...{
      clock,
      events: new EventHub(),
      link,
      offsets,
      topics: none,
      groups: none,
      delays: none,
      timers: none,
      modes: none,
    },
    client: { request: request as never },
    ...{ masterAddr: () => '10.0.0.1:10911', taken: () => {} },
    store: slave,
  })
  await sync.start()
  await clock.advanceAsync(5000)
  // It comes back without its end, and writes something else there.
  Object.assign(master, { offset: 5, end: 1200 })
  link.connections++
  slave.maxPhysicalOffset = 1100
  await clock.advanceAsync(10_000)
  assert.deepEqual(taken, [])
  slave.maxPhysicalOffset = 1200
  await clock.advanceAsync(10_000)
  assert.deepEqual(taken.slice(0, 1), [5])
  await sync.stop()
})

/** A slave that has all of its master's log; the master has offsets of three queues, and of delays. */
function following(offsets: Pick<OffsetTable, 'takeAll' | 'dropGone'>, saved: Promise<void>) {
  const clock = new SimClock()
  const events = new EventHub()
  const table = new Map([['commitLogMaxOffset', '100']])
  const queues = new Map([0, 1, 2].map(queueId => [queueId, 5]))
  const replies = new Map<RequestSpec, Uint8Array>([
    [getBrokerRuntimeInfo, getBrokerRuntimeInfo.replyBody!.encode({ table } as never)],
    [getAllConsumerOffset, getAllConsumerOffset.replyBody!.encode({ offsetTable: new Map([['T@g', queues]]) })],
    [getAllDelayOffset, getAllDelayOffset.replyBody!.encode({ offsetTable: new Map([[1, 7]]) })],
  ])
  const request = async (_: string, spec: RequestSpec) => {
    const body = replies.get(spec)
    return { code: body === undefined ? ResponseCode.requestCodeNotSupported : ResponseCode.success, body }
  }
  const none = { replace: () => {}, find: () => undefined, ensure: () => {} }
  const sync = new TableSync({
    ...{ clock, events, offsets, topics: none, groups: none, timers: none, modes: none },
    link: { isFollowing: true, connections: 1, endHeard: () => {} },
    delays: { replace: () => saved },
    client: { request: request as never },
    ...{ masterAddr: () => '10.0.0.1:10911', taken: () => {} },
    store: { maxPhysicalOffset: 100, sync: async () => true, onArrival: () => {} },
  })
  return { clock, events, sync }
}

test('offsets that do not fit a slave’s table are told once, and those that fit are taken', async () => {
  const on = machine()
  const file = on.file('/store/config/consumerOffset.json', consumerOffsetFile)
  const offsets = new OffsetTable({ ...on, file, intervalMs: () => 5000, limit: 2 })
  const { clock, events, sync } = following(offsets, Promise.resolve())
  const told: unknown[] = []
  events.subscribe(({ name, fields }) => {
    if (name === tablesNotSynced.eventName) told.push([fields.table, fields.reason])
  })
  await sync.start()
  await clock.advanceAsync(40_000)
  await sync.stop()
  assert.deepEqual(told, [['consumer offsets', 'the table of offsets is full (1000000): 1 are left out']])
  assert.deepEqual(
    [0, 1, 2].map(queueId => offsets.find('g', 'T', queueId)),
    [5, 5, undefined],
  )
})

test('a stop waits until how far the master is with delays is written', async () => {
  let written = () => {}
  const saved = new Promise<void>(resolve => {
    written = resolve
  })
  const { clock, sync } = following({ takeAll: () => 0, dropGone: () => {} }, saved)
  await sync.start()
  await clock.advanceAsync(4000)
  let isStopped = false
  const stopped = sync.stop().then(() => {
    isStopped = true
  })
  await clock.advanceAsync(100)
  assert.equal(isStopped, false)
  written()
  await stopped
})

test('a stop does not wait for the answer of a master that gives none', async () => {
  const clock = new SimClock()
  const events = new EventHub()
  const told: string[] = []
  events.subscribe(({ name }) => told.push(name))
  const none = { replace: async () => {}, find: () => undefined, ensure: () => {} }
  let asked = 0
  // As that of a client whose connection lasts while nothing comes of it: the other machine is gone.
  const request = (_address: string, _spec: RequestSpec, _header: object, { signal }: { signal: AbortSignal }) => {
    asked++
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  const sync = new TableSync({
    ...{ clock, events, offsets: { takeAll: () => 0, dropGone: () => {} } },
    ...{ topics: none, groups: none, delays: none, timers: none, modes: none },
    link: { isFollowing: true, connections: 1, endHeard: () => {} },
    client: { request: request as never },
    ...{ masterAddr: () => '10.0.0.1:10911', taken: () => {} },
    store: { maxPhysicalOffset: 100, sync: async () => true, onArrival: () => {} },
  })
  await sync.start()
  await clock.advanceAsync(3500)
  assert.equal(asked, 1)
  await sync.stop()
  assert.equal(asked, 1)
  assert.deepEqual(told, [])
})
