import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ConsumerOffsetTable,
  getAllConsumerOffset,
  getBrokerRuntimeInfo,
  type RequestSpec,
  ResponseCode,
} from '@skua-mq/protocol'
import { EventHub, SimClock } from '@skua-mq/runtime'
import { TableSync } from '../../src/ha/table-sync.ts'

test('what a master said before it was away counts nothing for what it has written at the same places since', async () => {
  const clock = new SimClock()
  const master = { offset: 7, end: 1000 }
  const slave = { maxPhysicalOffset: 900, sync: async () => true, onArrival: () => {} }
  const link = { isFollowing: true, connections: 1 }
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
    },
  }
  const none = { replace: () => {} }
  const sync = new TableSync({
    ...{ clock, events: new EventHub(), link, offsets, topics: none, groups: none, delays: none, timers: none },
    client: { request: request as never },
    masterAddr: () => '10.0.0.1:10911',
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
