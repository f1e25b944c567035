import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MessageQueue } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import type { QueueLocks } from '../../src/consume/locks.ts'
import { Offsets } from '../../src/consume/offset-store/offsets.ts'
import { MemoryOffsetStorage, type OffsetStorage } from '../../src/consume/offset-store/storage.ts'
import { OwnedQueues, type OwnedQueuesParts, type Process } from '../../src/consume/owned-queues.ts'
import { Subscriptions } from '../../src/consume/subscriptions.ts'
import type { ClientInstance } from '../../src/instance/client-instance.ts'

const queue = (queueId: number, topic = 'T'): MessageQueue => ({ topic, brokerName: 'b', queueId })
const all = [queue(0), queue(1), queue(2)]

/** Owned queues whose surroundings do what the test says. */
function owner(changes: Partial<OwnedQueuesParts> & { storage?: OffsetStorage } = {}) {
  const clock = new SimClock()
  const log: string[] = []
  const subscriptions = new Subscriptions()
  subscriptions.set('T', { expression: '*', subVersion: 1 })
  const state = { free: true, beats: 0 }
  const storage = changes.storage ?? new MemoryOffsetStorage()
  const offsets = new Offsets(storage)
  const owned = new OwnedQueues({
    instance: {
      clock,
      heartbeats: {
        beat: async () => {
          state.beats++
        },
      },
    } as unknown as ClientInstance,
    group: 'cg',
    offsets,
    ends: { maxOffset: async () => 100, searchOffset: async () => 50 },
    startRules: () => ({ consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET', consumeTimestampMs: 0 }),
    subscriptions,
    locks: undefined,
    emit: (name, fields) => void log.push(`${name} ${((fields as { error?: Error }).error as Error)?.message ?? ''}`),
    taken: ({ queueId }, _process, offset) => void log.push(`taken ${queueId} at ${offset}`),
    released: async ({ queueId }) => {
      log.push(`released ${queueId}`)
      return state.free
    },
    ...changes,
  })
  return { clock, log, owned, offsets, storage, subscriptions, state }
}

const ids = (owned: OwnedQueues) => [...owned.table.queues()].map(({ queueId }) => queueId).sort()

describe('queues that are given to this member', () => {
  test('are taken from where the group stands, or from where it shall begin', async () => {
    const { owned, log, storage } = owner()
    await storage.write([[queue(1), 7]])
    assert.deepEqual(await owned.update('T', [queue(0), queue(1)], all), { changed: true, complete: true })
    assert.deepEqual(log, ['taken 0 at 100', 'taken 1 at 7'])
    assert.deepEqual([ids(owned), owned.ofTopic('T').length, owned.ofTopic('U')], [[0, 1], 2, []])
  })

  test('are asked for at the store, whatever is remembered from an earlier time', async () => {
    const { owned, offsets, log, storage } = owner()
    offsets.update(queue(0), 99)
    await storage.write([[queue(0), 7]])
    await owned.update('T', [queue(0)], all)
    assert.deepEqual(log, ['taken 0 at 7'])
  })

  test('that stay are not touched', async () => {
    const { owned, log } = owner()
    await owned.update('T', [queue(0)], all)
    const process = owned.get(queue(0))
    log.length = 0
    assert.deepEqual(await owned.update('T', [queue(0)], all), { changed: false, complete: true })
    assert.deepEqual(log, [])
    assert.equal(owned.get(queue(0)), process)
  })

  test('change the version of the subscription, which brokers hear of before the first pull', async () => {
    const order: string[] = []
    const { owned, subscriptions, clock, state } = owner({
      taken: () => void order.push(`taken after ${state.beats} beats`),
    })
    clock.advance(5000)
    await owned.update('T', [queue(0)], all)
    assert.equal(subscriptions.get('T')?.data.subVersion, clock.now())
    assert.deepEqual(order, ['taken after 1 beats'])
    await owned.update('T', [queue(0)], all)
    assert.equal(state.beats, 1)
  })

  test('whose start is not known now are left for another round, and the others are taken', async () => {
    let fails = true
    const storage: OffsetStorage = {
      read: async ({ queueId }) => {
        if (queueId === 0 && fails) throw new Error('no broker')
        return 5
      },
      write: async () => {},
    }
    const { owned, log } = owner({ storage })
    assert.deepEqual(await owned.update('T', [queue(0), queue(1)], all), { changed: true, complete: false })
    assert.deepEqual(log, ['rebalanceFailed no broker', 'taken 1 at 5'])
    fails = false
    assert.deepEqual(await owned.update('T', [queue(0), queue(1)], all), { changed: true, complete: true })
    assert.deepEqual(log.slice(2), ['taken 0 at 5'])
  })

  test('while it stops are taken no more', async () => {
    const { owned, log } = owner()
    owned.stop()
    assert.deepEqual(await owned.update('T', [queue(0)], all), { changed: false, complete: false })
    assert.deepEqual(log, [])
  })

  test('need their lock where consumption is in order', async () => {
    const given = new Set([1])
    const unlocked: number[] = []
    const locks = {
      lockAll: async (entries: Iterable<[MessageQueue, Process]>) => {
        for (const [{ queueId }, process] of entries) process.locked = given.has(queueId)
      },
      unlock: async (queues: readonly MessageQueue[]) => void unlocked.push(...queues.map(({ queueId }) => queueId)),
    } as unknown as QueueLocks
    const { owned, log } = owner({ locks })
    assert.deepEqual(await owned.update('T', [queue(0), queue(1)], all), { changed: true, complete: false })
    assert.deepEqual(log, ['taken 1 at 100'])
    given.add(0)
    assert.deepEqual(await owned.update('T', [queue(0), queue(1)], all), { changed: true, complete: true })
    await owned.update('T', [], all)
    assert.deepEqual(unlocked, [1, 0])
  })
})

describe('queues that are another member’s now', () => {
  test('are released, their offset is written down, and they are forgotten', async () => {
    const { owned, log, offsets, storage } = owner()
    await owned.update('T', [queue(0), queue(1)], all)
    offsets.update(queue(0), 123)
    const process = owned.get(queue(0))!
    log.length = 0
    assert.deepEqual(await owned.update('T', [queue(1)], all), { changed: true, complete: true })
    assert.deepEqual([log, process.dropped, ids(owned)], [['released 0'], true, [1]])
    assert.equal(await storage.read(queue(0)), 123)
    assert.equal(offsets.inMemory(queue(0)), undefined)
  })

  test('are kept while a batch of them runs, and tried again', async () => {
    const { owned, state, storage, offsets } = owner()
    await owned.update('T', [queue(0)], all)
    offsets.update(queue(0), 5)
    state.free = false
    assert.deepEqual(await owned.update('T', [], all), { changed: false, complete: false })
    assert.deepEqual([ids(owned), owned.get(queue(0))?.tryUnlockTimes], [[0], 1])
    // What is done so far is written down all the same.
    assert.equal(await storage.read(queue(0)), 5)
    offsets.update(queue(0), 6)
    state.free = true
    assert.deepEqual(await owned.update('T', [], all), { changed: true, complete: true })
    assert.deepEqual(ids(owned), [])
    assert.equal(await storage.read(queue(0)), 6)
  })

  test('are released though their offset cannot be written, which is told', async () => {
    const storage: OffsetStorage = {
      read: async () => 1,
      write: async () => {
        throw new Error('no broker')
      },
    }
    const { owned, log } = owner({ storage })
    await owned.update('T', [queue(0)], all)
    log.length = 0
    await owned.update('T', [], all)
    assert.deepEqual([log, ids(owned)], [['released 0', 'offsetCommitFailed no broker'], []])
    await owned.update('T', [queue(0)], all)
    log.length = 0
    await owned.persistAll()
    assert.deepEqual(log, ['offsetCommitFailed no broker'])
  })
})

describe('a queue', () => {
  test('that was dropped is taken anew in the next round', async () => {
    const { owned, log } = owner()
    await owned.update('T', [queue(0)], all)
    owned.get(queue(0))!.dropped = true
    log.length = 0
    assert.deepEqual(await owned.update('T', [queue(0)], all), { changed: true, complete: true })
    assert.deepEqual(log, ['released 0', 'taken 0 at 100'])
    assert.equal(owned.get(queue(0))!.dropped, false)
  })

  test('whose loop has died, since it did not pull for two minutes, is taken anew; one that waits is not', async () => {
    const { owned, log, clock } = owner()
    await owned.update('T', [queue(0), queue(1)], all)
    clock.advance(100_000)
    owned.get(queue(1))!.lastPullAtMs = clock.monotonic()
    clock.advance(20_001)
    log.length = 0
    await owned.update('T', [queue(0), queue(1)], all)
    assert.deepEqual(log, ['released 0', 'taken 0 at 100'])
  })

  test('whose offset was moved is discarded with what is known of it', async () => {
    const { owned, offsets, storage, log } = owner()
    await owned.update('T', [queue(0)], all)
    const process = owned.get(queue(0))!
    offsets.update(queue(0), 3)
    await owned.discard(queue(0))
    assert.deepEqual([process.dropped, ids(owned), offsets.inMemory(queue(0))], [true, [], undefined])
    log.length = 0
    await owned.update('T', [queue(0)], all)
    assert.deepEqual([log, await storage.read(queue(0))], [['taken 0 at 3'], 3])
  })

  test('that is not owned is released at once', async () => {
    const { owned, log } = owner()
    assert.equal(await owned.release(queue(2)), true)
    assert.deepEqual(log, [])
  })
})

describe('where a queue begins', () => {
  test('is where the group stands; a store that cannot tell is no reason to begin elsewhere', async () => {
    const { owned } = owner({
      storage: {
        read: async () => {
          throw new Error('no broker')
        },
        write: async () => {},
      },
    })
    await assert.rejects(owned.startOffset(queue(0)), /no broker/)
  })
})
