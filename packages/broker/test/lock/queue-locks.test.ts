import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { lockBatchMq, unlockBatchMq } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import { lockExpiryMs, maxLocksPerGroup, QueueLocks } from '../../src/lock/queue-locks.ts'
import { lockRoutes } from '../../src/lock/routes.ts'
import { ask, bodyOf } from '../harness.ts'

const queue = (queueId: number, topic = 'T') => ({ topic, brokerName: 'b1', queueId })

function table() {
  const clock = new SimClock()
  const locks = new QueueLocks(clock)
  const lock = (clientId: string, ids: number[], group = 'g') =>
    locks
      .lock(
        group,
        clientId,
        ids.map(id => queue(id)),
      )
      .map(held => held.queueId)
  return { clock, locks, lock }
}

describe('a queue lock', () => {
  test('belongs to who asked first; others get the rest', () => {
    const { lock, locks } = table()
    assert.deepEqual(lock('a', [0, 1]), [0, 1])
    assert.deepEqual(lock('b', [1, 2]), [2])
    assert.deepEqual(
      [0, 1, 2, 3].map(id => locks.ownerOf('g', queue(id))),
      ['a', 'a', 'b', undefined],
    )
  })

  test('of one group says nothing to another group or about another topic', () => {
    const { lock, locks } = table()
    lock('a', [0])
    assert.deepEqual(lock('b', [0], 'h'), [0])
    assert.equal(locks.lock('g', 'b', [queue(0, 'U')]).length, 1)
  })

  test('lives for 60 s after its last renewal, then the next one gets it', () => {
    const { clock, lock } = table()
    lock('a', [0])
    clock.advance(lockExpiryMs)
    assert.deepEqual(lock('b', [0]), [])
    assert.deepEqual(lock('a', [0]), [0], 'the owner renews')
    clock.advance(lockExpiryMs)
    assert.deepEqual(lock('b', [0]), [])
    clock.advance(1)
    assert.deepEqual(lock('b', [0]), [0])
    assert.deepEqual(lock('a', [0]), [], 'the former owner has lost it')
  })

  test('is not lost by a step of the wall clock', () => {
    const { clock, lock } = table()
    lock('a', [0])
    clock.step(3_600_000)
    assert.deepEqual(lock('b', [0]), [])
  })

  test('is given up by its owner only', () => {
    const { lock, locks } = table()
    lock('a', [0, 1])
    locks.unlock('g', 'b', [queue(0)])
    assert.deepEqual(lock('b', [0]), [])
    locks.unlock('g', 'a', [queue(0)])
    assert.deepEqual(lock('b', [0, 1]), [0])
    locks.unlock('unknown', 'a', [queue(0)])
  })

  test('that nobody renews is forgotten, a living one is not', () => {
    const { clock, lock, locks } = table()
    lock('a', [0, 1])
    clock.advance(lockExpiryMs)
    lock('a', [1])
    clock.advance(1)
    locks.expire()
    assert.equal(locks.size, 1)
    clock.advance(lockExpiryMs + 1)
    locks.expire()
    assert.equal(locks.size, 0)
  })

  test('is refused when the group has too many', () => {
    const { lock, locks } = table()
    lock(
      'a',
      Array.from({ length: maxLocksPerGroup + 5 }, (_, id) => id),
    )
    assert.equal(locks.size, maxLocksPerGroup)
    assert.deepEqual(lock('a', [0, maxLocksPerGroup]), [0])
  })
})

test('41 answers the queues that the client holds, 42 lets them go', async () => {
  const routes = lockRoutes(new QueueLocks(new SimClock()))
  const asked = (clientId: string, ids: number[]) => ({
    body: lockBatchMq.body!.encode({ consumerGroup: 'g', clientId, mqSet: ids.map(id => queue(id)) }),
  })
  const lock = async (clientId: string, ids: number[]) =>
    bodyOf(lockBatchMq, await ask(routes, lockBatchMq, {}, asked(clientId, ids))).lockOKMQSet
  assert.deepEqual(await lock('a', [0, 1]), [queue(0), queue(1)])
  assert.deepEqual(await lock('b', [0]), [])
  assert.equal((await ask(routes, unlockBatchMq, {}, asked('a', [0]))).code, 0)
  assert.deepEqual(await lock('b', [0, 1]), [queue(0)])
})

test('locks of all groups are bounded in bytes, and there is room again when they have expired', () => {
  const { locks, lock, clock } = table()
  const names = [...Array(40).keys()].map(n => `${n}${'g'.repeat(8 * 1024 * 1024)}`)
  const held = names.filter(name => lock('a', [0], name).length > 0)
  assert.ok(held.length > 1 && held.length < 30, `${held.length} groups of 8 MiB`)
  assert.deepEqual(lock('a', [0], held[0]), [0])
  clock.advance(lockExpiryMs + 1)
  locks.expire()
  assert.deepEqual(lock('a', [0], names.at(-1)), [0])
  for (const name of [...held, names.at(-1)!]) locks.unlock(name, 'a', [queue(0)])
  assert.equal(locks.size, 0)
})

test('a lock outlives any silence where time leaps over hours', () => {
  const clock = Object.assign(new SimClock(), { leaps: true })
  const locks = new QueueLocks(clock)
  assert.equal(locks.lock('g', 'a', [queue(0)]).length, 1)
  clock.advance(1000 * lockExpiryMs)
  assert.equal(locks.lock('g', 'b', [queue(0)]).length, 0)
  assert.equal(locks.ownerOf('g', queue(0)), 'a')
})
