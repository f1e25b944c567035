import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  cloneGroupOffset,
  consumerOffsetFile,
  getAllConsumerOffset,
  getEarliestMsgStoretime,
  getMaxOffset,
  getMinOffset,
  queryConsumerOffset,
  queryCorrectionOffset,
  searchOffsetByTimestamp,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { type OffsetMove, OffsetTable } from '../../src/offset/offset-table.ts'
import { offsetRoutes } from '../../src/offset/routes.ts'
import { ask, machine, TestConnection } from '../harness.ts'

function broker({ minOffset = 0, inMemory = true } = {}) {
  const on = machine()
  const moves: OffsetMove[] = []
  const offsets = new OffsetTable({
    ...on,
    moved: move => moves.push(move),
    file: on.file('/store/config/consumerOffset.json', consumerOffsetFile),
    intervalMs: () => 5000,
  })
  const members = new Map<number, string>()
  const asked: unknown[] = []
  const routes = offsetRoutes({
    offsets,
    clock: on.clock,
    hasTopic: topic => topic !== 'unknown',
    memberOf: (_group, connection) => members.get(connection.id),
    subscribes: (group, topic) => (group === 'online' ? topic === 'T' : undefined),
    store: {
      minOffset: () => minOffset,
      maxOffset: (topic, queueId) => (topic === 'T' ? 100 + queueId : 0),
      offsetByTime: async (topic, queueId, atMs) => {
        asked.push([topic, queueId, atMs])
        return 42
      },
      earliestStoredAt: async topic => (topic === 'T' ? 1_700_000_000_000 : -1),
      firstMessageInMemory: () => inMemory,
    },
  })
  return { ...on, offsets, routes, members, asked, moves }
}

const queue = { consumerGroup: 'g', topic: 'T', queueId: 0 }

describe('14', () => {
  test('answers what was committed by 15, also a smaller value', async () => {
    const { routes } = broker()
    for (const commitOffset of [9, 4]) {
      assert.equal((await ask(routes, updateConsumerOffset, { ...queue, commitOffset })).code, 0)
      assert.deepEqual((await ask(routes, queryConsumerOffset, queue)).header, { offset: commitOffset })
    }
  })

  test('answers an unknown group with 0 while the queue begins at 0 and its first message is in memory', async () => {
    const reply = await ask(broker().routes, queryConsumerOffset, queue)
    assert.deepEqual([reply.code, reply.header], [0, { offset: 0 }])
  })

  test('answers an unknown group with 22 when messages were deleted or the first one is only on disk', async () => {
    assert.equal((await ask(broker({ minOffset: 10 }).routes, queryConsumerOffset, queue)).code, 22)
    assert.equal((await ask(broker({ inMemory: false }).routes, queryConsumerOffset, queue)).code, 22)
  })

  test('answers 22 to a 5.x client that does not want the 0', async () => {
    assert.equal((await ask(broker().routes, queryConsumerOffset, { ...queue, setZeroIfNotFound: false })).code, 22)
  })
})

describe('15', () => {
  test('says who moved an offset: a member by its client id, a stranger by its address', async () => {
    const { routes, moves, members } = broker()
    const member = new TestConnection()
    members.set(member.id, 'client-1')
    const tool = new TestConnection()
    const commit = (commitOffset: number, connection: TestConnection) =>
      ask(routes, updateConsumerOffset, { ...queue, commitOffset }, { connection })
    await commit(5, member)
    await commit(9, member)
    await commit(50, tool)
    await commit(1, member)
    assert.deepEqual(
      moves.map(({ from, to, who, request }) => [from, to, who, request]),
      [
        [9, 50, `10.0.0.9:${tool.remote.port}`, 'UPDATE_CONSUMER_OFFSET'],
        [50, 1, `client-1 at 10.0.0.9:${member.remote.port}`, 'UPDATE_CONSUMER_OFFSET'],
      ],
    )
  })

  test('refuses an offset that no queue can have', async () => {
    const { routes, offsets } = broker()
    assert.equal((await ask(routes, updateConsumerOffset, { ...queue, commitOffset: 2 ** 63 })).code, 1)
    assert.equal(offsets.find('g', 'T', 0), undefined)
  })
})

test('29 to 32 answer what the store knows', async () => {
  const { routes, asked } = broker({ minOffset: 7 })
  const at = { topic: 'T', queueId: 3 }
  assert.deepEqual((await ask(routes, getMaxOffset, at)).header, { offset: 103 })
  assert.deepEqual((await ask(routes, getMinOffset, at)).header, { offset: 7 })
  assert.deepEqual((await ask(routes, searchOffsetByTimestamp, { ...at, timestamp: 123 })).header, { offset: 42 })
  assert.deepEqual(asked, [['T', 3, 123]])
  assert.equal((await ask(routes, searchOffsetByTimestamp, { ...at, topic: 'unknown', timestamp: 1 })).code, 17)
  assert.deepEqual((await ask(routes, getEarliestMsgStoretime, at)).header, { timestamp: 1_700_000_000_000 })
  assert.deepEqual((await ask(routes, getEarliestMsgStoretime, { ...at, topic: 'U' })).header, { timestamp: -1 })
})

test('43 tells all offsets, in a form that Java reads', async () => {
  const { routes } = broker()
  await ask(routes, updateConsumerOffset, { ...queue, commitOffset: 11 })
  const reply = await ask(routes, getAllConsumerOffset, {})
  assert.equal(Buffer.from(reply.body!).toString(), '{"offsetTable":{"T@g":{"0":11}}}')
})

describe('314', () => {
  const filled = () => {
    const all = broker()
    for (const group of ['online', 'away'])
      for (const topic of ['T', 'U', 'unknown'])
        all.offsets.commit({ group, topic, queueId: 0, offset: 5, who: 'test' })
    const clone = async (header: { srcGroup: string; topic?: string; offline?: boolean }) => {
      assert.equal((await ask(all.routes, cloneGroupOffset, { destGroup: 'copy', ...header })).code, 0)
      return all.offsets.topicsOf('copy')
    }
    return clone
  }

  test('copies all topics that exist, or the one that is named', async () => {
    assert.deepEqual(await filled()({ srcGroup: 'away' }), ['T', 'U'])
    assert.deepEqual(await filled()({ srcGroup: 'away', topic: 'U' }), ['U'])
    assert.deepEqual(await filled()({ srcGroup: 'away', topic: 'unknown' }), [])
  })

  test('leaves out topics which an online group does not subscribe to, unless it may count as offline', async () => {
    assert.deepEqual(await filled()({ srcGroup: 'online' }), ['T'])
    assert.deepEqual(await filled()({ srcGroup: 'online', offline: true }), ['T', 'U'])
  })
})

test('314 is refused where the offsets cannot be kept, not answered as if they were', async () => {
  const { offsets, routes } = broker()
  offsets.commit({ group: 'g', topic: 'T', queueId: 0, offset: 5, who: 'test' })
  const reply = await ask(routes, cloneGroupOffset, { srcGroup: 'g', destGroup: 'x'.repeat(300), topic: 'T' })
  assert.deepEqual([reply.code, offsets.groupsOf('T')], [1, ['g']])
})

test('308 tells the smallest offsets of all groups, and which of them a compared group has not reached', async () => {
  const { offsets, routes } = broker({ minOffset: 3 })
  const at = (group: string, ...of: number[]) => {
    of.forEach((offset, queueId) => void offsets.commit({ group, topic: 'T', queueId, offset, who: 'test' }))
  }
  at('a', 10, 20, 2)
  at('b', 12, 15, 30)
  at('c', 4, 4, 4)
  const tell = async (header: { filterGroups?: string; compareGroup: string }) => {
    const reply = await ask(routes, queryCorrectionOffset, { topic: 'T', ...header })
    return [...queryCorrectionOffset.replyBody!.decode(reply.body!).correctionOffsets]
  }
  assert.deepEqual(await tell({ compareGroup: 'none' }), [
    [0, 4n],
    [1, 4n],
    [2, 4n],
  ])
  assert.deepEqual(await tell({ compareGroup: 'c', filterGroups: 'c,unknown' }), [
    [0, 2n ** 63n - 1n],
    [1, 2n ** 63n - 1n],
    [2, 2n ** 63n - 1n],
  ])
  assert.deepEqual(await tell({ compareGroup: 'a', filterGroups: 'c' }), [
    [0, 10n],
    [1, 15n],
    [2, 2n ** 63n - 1n],
  ])
  assert.equal(offsets.find('c', 'T', 0), 4, 'a filter takes nobody’s offsets away')
})
