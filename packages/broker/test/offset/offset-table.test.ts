import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumerOffsetBody, consumerOffsetFile } from '@skua-mq/protocol'
import {
  brokersGroups,
  maxMovesTold,
  type OffsetMove,
  OffsetTable,
  offsetMovedBack,
} from '../../src/offset/offset-table.ts'
import { tableNotSaved } from '../../src/persist/table-file.ts'
import { machine } from '../harness.ts'

const path = '/store/config/consumerOffset.json'

function opened({ on = machine(), limit }: { on?: ReturnType<typeof machine>; limit?: number } = {}) {
  const moves: OffsetMove[] = []
  const offsets = new OffsetTable({
    ...on,
    moved: move => moves.push(move),
    file: on.file(path, consumerOffsetFile),
    intervalMs: () => 5000,
    ...(limit === undefined ? {} : { limit }),
  })
  offsets.load()
  const commit = (offset: number, changes = {}) =>
    offsets.commit({ group: 'g', topic: 'T', queueId: 0, offset, who: 'a', ...changes })
  return { ...on, on, offsets, commit, moves, at: (group = 'g', topic = 'T') => offsets.find(group, topic, 0) }
}

describe('who has offsets where', () => {
  test('is told after a load, and of what is left after a deletion; a group may have an @ in its name', () => {
    const { on, offsets, commit } = opened()
    commit(1)
    commit(2, { topic: 'U' })
    commit(3, { group: 'a@g' })
    offsets.stop()
    const { offsets: again } = opened({ on })
    const told = () => [again.topicsOf('g'), again.topicsOf('a@g'), again.groupsOf('T'), again.groupsOf('U')]
    assert.deepEqual(told(), [['T', 'U'], ['T'], ['g', 'a@g'], ['g']])
    again.deleteGroup('g', 'test')
    assert.deepEqual(told(), [[], ['T'], ['a@g'], []])
    assert.equal(again.find('a@g', 'T', 0), 3)
    again.deleteTopic('T', 'test')
    assert.deepEqual([told(), new Map(again.all()).size], [[[], [], [], []], 0])
  })
})

describe('committing', () => {
  test('stores what it gets, also smaller values', () => {
    const { commit, at } = opened()
    assert.equal(at(), undefined)
    for (const offset of [5, 9, 2, 0]) {
      assert.equal(commit(offset), true)
      assert.equal(at(), offset)
    }
  })

  test('keeps groups, topics and queues apart', () => {
    const { commit, offsets } = opened()
    commit(1)
    commit(2, { queueId: 1 })
    commit(3, { topic: 'U' })
    commit(4, { group: 'h' })
    assert.deepEqual(
      offsets.ofTopic('g', 'T'),
      new Map([
        [0, 1],
        [1, 2],
      ]),
    )
    assert.deepEqual(
      [offsets.topicsOf('g'), offsets.groupsOf('T')],
      [
        ['T', 'U'],
        ['g', 'h'],
      ],
    )
  })

  test('refuses names that no group and no topic can have: the table is bounded in bytes, too', () => {
    const { commit, offsets } = opened()
    for (const place of [{ group: 'g'.repeat(100_000) }, { topic: 'T'.repeat(100_000) }])
      assert.equal(commit(1, place), false)
    assert.equal(new Map(offsets.all()).size, 0)
    for (const place of [{ group: 'g'.repeat(255) }, { topic: 'T'.repeat(255) }]) assert.equal(commit(1, place), true)
  })

  test('refuses what is no offset, and further ones when the table is full; known ones go on', () => {
    const { commit, offsets, at } = opened({ limit: 2 })
    assert.equal(commit(2 ** 63), false)
    assert.equal(commit(1), true)
    assert.equal(commit(1, { queueId: 1 }), true)
    assert.equal(commit(1, { queueId: 2 }), false)
    assert.equal(commit(7), true)
    assert.equal(at(), 7)
    offsets.deleteGroup('g', 'test')
    assert.equal(commit(1, { queueId: 2 }), true)
  })
})

describe('who moved an offset', () => {
  test('is warned of and told of when it goes back, with both places and the time', () => {
    const { commit, moves, fieldsOf, clock } = opened()
    commit(9)
    commit(20)
    clock.advance(1000)
    commit(3, { who: 'client at 10.0.0.9:1', request: 'UPDATE_CONSUMER_OFFSET' })
    const place = { group: 'g', topic: 'T', queueId: 0, from: 20, to: 3 }
    const move = { atMs: clock.now(), ...place, who: 'client at 10.0.0.9:1', request: 'UPDATE_CONSUMER_OFFSET' }
    assert.deepEqual(fieldsOf(offsetMovedBack.eventName), [move])
    assert.deepEqual(moves, [move])
  })

  test('is told of without a warning when a stranger moves it forward, but not when its consumer goes on', () => {
    const { commit, moves, names } = opened()
    commit(1)
    commit(2)
    commit(50, { byHand: true, who: 'tool' })
    assert.deepEqual(
      moves.map(({ from, to, who }) => [from, to, who]),
      [[2, 50, 'tool']],
    )
    assert.deepEqual(names(), [])
  })

  test('is told of when it is deleted', () => {
    const { commit, offsets, moves } = opened()
    commit(4)
    commit(5, { topic: 'U' })
    offsets.deleteTopic('T', 'the topic was deleted')
    assert.deepEqual(
      moves.map(({ topic, from, to, who }) => [topic, from, to, who]),
      [['T', 4, undefined, 'the topic was deleted']],
    )
  })

  test('of very many that are deleted together the last thousand are told of', () => {
    const { commit, offsets, moves } = opened()
    for (let queueId = 0; queueId < maxMovesTold + 3; queueId++) commit(1, { queueId })
    offsets.deleteGroup('g', 'test')
    assert.deepEqual(
      moves.map(({ queueId }) => queueId),
      Array.from({ length: maxMovesTold }, (_, i) => i + 3),
    )
    // The places are free again.
    assert.deepEqual([new Map(offsets.all()).size, offsets.topicsOf('g')], [0, []])
  })
})

describe('deleting and cloning', () => {
  test('a deleted topic or group takes its offsets and no others', () => {
    const { commit, offsets, at } = opened()
    for (const group of ['g', 'h']) for (const topic of ['T', 'U']) commit(1, { group, topic })
    offsets.deleteTopic('T', 'test')
    assert.deepEqual([at('g', 'T'), at('h', 'T'), at('g', 'U'), at('h', 'U')], [undefined, undefined, 1, 1])
    offsets.deleteGroup('g', 'test')
    assert.deepEqual([at('g', 'U'), at('h', 'U')], [undefined, 1])
  })

  test('a group whose name ends like another, or a topic that begins like another, is not mixed up', () => {
    const { commit, offsets, at } = opened()
    commit(1, { group: 'xg' })
    commit(2, { group: 'g' })
    commit(3, { topic: 'TT' })
    offsets.deleteGroup('g', 'test')
    assert.equal(at('xg'), 1)
    commit(3, { topic: 'TT' })
    offsets.deleteTopic('T', 'test')
    assert.equal(at('g', 'TT'), 3)
  })
})

describe('persistence', () => {
  test('what changed is on disk after the interval, the former generation beside it', async () => {
    const { commit, offsets, on, clock } = opened()
    offsets.start()
    commit(3)
    assert.equal(opened({ on }).at(), undefined)
    await clock.advanceAsync(5100)
    assert.equal(opened({ on }).at(), 3)
    commit(4)
    await clock.advanceAsync(5100)
    on.disk.writeFile(path, Buffer.from('damaged'))
    assert.equal(opened({ on }).at(), 3)
    offsets.stop()
  })

  test('nothing is written while nothing changes', async () => {
    const { commit, offsets, on, clock } = opened()
    offsets.start()
    commit(3)
    await clock.advanceAsync(5100)
    const { modifiedAtMs } = on.disk.stat(path)!
    commit(3)
    await clock.advanceAsync(60_000)
    assert.equal(on.disk.stat(path)?.modifiedAtMs, modifiedAtMs)
    offsets.stop()
  })

  test('a stop saves what is left, also while a slow save is under way', async () => {
    const { commit, offsets, on, clock } = opened()
    offsets.start()
    commit(3)
    await clock.advanceAsync(5100)
    commit(4)
    on.disk.faults.slow({ on: 'sync', ms: 2000 })
    await clock.advanceAsync(5100)
    commit(5)
    on.disk.faults.clear()
    offsets.stop()
    assert.equal(opened({ on }).at(), 5)
    await clock.advanceAsync(10_000)
    assert.equal(opened({ on }).at(), 5)
  })

  test('a failed save is told and tried again at the next interval', async () => {
    const { commit, offsets, on, clock, names } = opened()
    offsets.start()
    commit(3)
    await clock.advanceAsync(5100)
    const lift = on.disk.faults.fail({ on: 'sync', code: 'ENOSPC' })
    commit(4)
    await clock.advanceAsync(5100)
    assert.deepEqual(names(), [tableNotSaved.eventName])
    assert.equal(opened({ on }).at(), 3)
    lift()
    await clock.advanceAsync(5100)
    assert.equal(opened({ on }).at(), 4)
    offsets.stop()
  })

  test("the file has Java's form, and Java's is read", () => {
    const { commit, offsets, on } = opened()
    commit(17, { topic: 'orders', group: 'billing' })
    commit(4, { topic: 'orders', group: 'billing', queueId: 1 })
    offsets.stop()
    assert.equal(
      on.disk.readFile(path).toString(),
      '{\n\t"offsetTable":{\n\t\t"orders@billing":{0:17,1:4\n\t\t}\n\t}\n}',
    )
    on.disk.writeFile(
      path,
      Buffer.from('{"dataVersion":{"counter":1},"groupTopicMap":{},"offsetTable":{"%RETRY%g@g":{"0":2}}}'),
    )
    assert.equal(opened({ on }).at('g', '%RETRY%g'), 2)
  })

  test('what the broker has read of its own log is in a file never newer than where groups stand', () => {
    const { offsets } = opened()
    const commit = (group: string, topic: string, offset: number) =>
      assert.ok(offsets.commit({ group, topic, queueId: 0, offset, who: 'test' }))
    commit('g', 'T', 1)
    for (let n = 0; n < 5000; n++) commit(`group${n}`, 'T', 1)
    for (const group of brokersGroups) commit(group, 'own', 1)
    for (const encode of [consumerOffsetFile, consumerOffsetBody]) {
      const slices = encode.slices({ offsetTable: offsets.all() })
      const [first] = [slices.next().value as Buffer]
      // A turn between two slices.
      commit('g', 'T', 2)
      for (const group of brokersGroups) commit(group, 'own', 2)
      const { offsetTable } = encode.decode(Buffer.concat([first, ...slices]))
      assert.equal(offsetTable.size, 5001 + brokersGroups.length)
      const g = offsetTable.get('T@g')!.get(0)!
      for (const group of brokersGroups) assert.ok(offsetTable.get(`own@${group}`)!.get(0)! <= g, `${group}, ${g}`)
      commit('g', 'T', 1)
      for (const group of brokersGroups) commit(group, 'own', 1)
    }
    offsets.stop()
  })
})
