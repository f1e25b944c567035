import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BrokenInvariant } from '@skua-mq/runtime'
import type { ConsumeQueue } from '../src/consume-queue/consume-queue.ts'
import type { StoreConfig } from '../src/index.ts'
import { BareStore } from './bare-store.ts'
import { draftOf, drain, message, type Opened, Outcomes, open, put, smallConfig, type World, world } from './harness.ts'

const readOnly = /this should hold and does not: .*; the store is read-only until the broker is started again/
const extended: StoreConfig = { ...smallConfig, enableConsumeQueueExt: true }
const bitmaps = {
  of: () => {
    throw new TypeError('boom')
  },
}

const queueOf = ({ store }: Opened) => store.queue('T', 0) as ConsumeQueue

/** A store that is running since a while. */
async function running(at: World): Promise<Opened> {
  const opened = await open(at)
  put(opened, message('T', 'before'))
  await at.clock.advanceAsync(30_000)
  return opened
}

/** It takes nothing more however long it runs, and the next one finds every message in its queue. */
async function endsAsFault(at: World, opened: Opened, found: Record<string, string[]>): Promise<void> {
  await at.clock.advanceAsync(300_000)
  assert.equal(put(opened, message('T', 'refused'))[0]?.status, 'serviceNotAvailable')
  await at.clock.until(opened.store.stop())
  const again = await open(at, smallConfig)
  for (const [topic, bodies] of Object.entries(found)) assert.deepEqual(await drain(again, topic), bodies)
  assert.equal(put(again, message('T', 'after'))[0]?.status, 'ok')
  await at.clock.until(again.store.stop())
}

describe('where an invariant does not hold', () => {
  test('at the end of a turn: what is not in its queue is failed, the turn is not done twice, nothing is taken any more', async () => {
    const at = world()
    const causes: unknown[] = []
    at.events.subscribe(({ name, fields }) => name === 'store refuses messages' && causes.push(fields.cause))
    const opened = await running(at)
    const outcomes = new Outcomes()
    opened.store.append(draftOf(message('T', 'good')), outcomes)
    // A place that no message has.
    queueOf(opened).nextOffset++
    for (const each of [message('T', 'bad'), message('U', 'behind')]) opened.store.append(draftOf(each), outcomes)
    assert.throws(() => opened.turn.run(), BrokenInvariant)
    opened.turn.run()
    opened.turn.run()
    const told = outcomes.all.map(({ status, physicalOffset }) => [status, physicalOffset >= 0])
    assert.deepEqual(told, [
      ['ok', true],
      ['failed', false],
      ['failed', false],
    ])
    assert.match(opened.store.refusing?.remark ?? '', readOnly)
    assert.deepEqual(causes, ['fault'])
    assert.deepEqual(await drain(opened, 'T'), ['before', 'good'])
    await endsAsFault(at, opened, { T: ['before', 'good', 'bad'], U: ['behind'] })
  })

  test('any other error there is a fault as well', async () => {
    const at = world()
    const opened = await open(at, extended, { bitmaps })
    opened.store.append(draftOf(message('T', 'a')), new Outcomes())
    assert.throws(() => opened.turn.run(), /boom/)
    await endsAsFault(at, opened, { T: ['a'] })
  })

  test('in the write of a turn: the turn is failed and taken back, and nobody tries again or clears what is behind the end', async () => {
    const at = new BareStore()
    const outcomes = new Outcomes()
    const append = (body: string) => at.parts.appender.append(draftOf(message('T', body)), outcomes)
    append('a')
    at.turn.run()
    const { log, health } = at.parts
    const { written } = log
    append('b')
    log.ring.cut(0)
    at.turn.run()
    assert.deepEqual([outcomes.all[1]?.status, log.end, log.written], ['failed', written, written])
    assert.match(outcomes.all[1]!.remark, /all that is not written is in memory/)
    log.written = log.end = 0
    await at.clock.advanceAsync(60_000)
    assert.match(health.refusing?.remark ?? '', readOnly)
    log.written = log.end = written
    assert.equal(at.parts.reader.recordSync(0)?.length, written, 'what is taken for the end may lie before messages')
    append('c')
    assert.equal(outcomes.all[2]?.status, 'serviceNotAvailable')
  })

  test('in the flush: nobody is told that it is synced, now or later', async () => {
    const at = new BareStore({ flushDiskType: 'SYNC_FLUSH' })
    at.parts.flush.begin()
    const outcomes = new Outcomes()
    at.disk.faults.slow({ on: 'sync', ms: 100, path: 'commitlog' })
    at.parts.appender.append(draftOf(message('T', 'a')), outcomes)
    at.turn.run()
    await at.clock.advanceAsync(50)
    const { written } = at.parts.log
    at.parts.log.written = 0
    await at.clock.advanceAsync(50)
    at.parts.log.written = written
    at.turn.run()
    assert.deepEqual(
      outcomes.all.map(({ status }) => status),
      ['flushDiskTimeout'],
    )
    assert.match(at.parts.health.refusing?.remark ?? '', readOnly)
    await at.clock.advanceAsync(60_000)
    await at.clock.until(at.parts.flush.syncAll())
    assert.equal(at.parts.flush.synced, 0)
    assert.match(at.parts.health.refusing?.remark ?? '', readOnly)
    assert.ok(at.parts.suspicion.raised, 'the next start writes it again')
  })

  test('in the flush of queues: they are made again at the next start', async () => {
    const at = world()
    const opened = await running(at)
    put(opened, message('T', 'last'))
    queueOf(opened).writtenOffset = -1
    await at.clock.advanceAsync(5000)
    assert.match(opened.store.refusing?.remark ?? '', readOnly)
    queueOf(opened).writtenOffset = 1
    await endsAsFault(at, opened, { T: ['before', 'last'] })
  })

  test('on a slave: no bytes are taken behind those that are in no queue, and none of them are cut off', async () => {
    const master = await running(world())
    const bytes = await master.store.readLog(0, 1000)
    const at = world()
    const slave = await open(at, { ...extended, brokerRole: 'SLAVE' }, { bitmaps })
    slave.store.appendReplicated(0, bytes.subarray(0, 50))
    assert.throws(() => slave.store.appendReplicated(50, bytes.subarray(50)), /boom/)
    assert.throws(() => slave.store.appendReplicated(bytes.length, bytes), /EREPLICA|read-only/)
    await endsAsFault(at, slave, { T: ['before'] })
  })

  for (const when of ['before', 'after'] as const)
    test(`nothing of the log is deleted any more, also where that was asked for ${when} it`, async () => {
      const at = world()
      const opened = await running(at)
      for (let i = 0; i < 20; i++) put(opened, message('T', 'x'.repeat(3000)))
      await at.clock.advanceAsync(30_000)
      at.clock.step(1000 * 3_600_000)
      opened.store.deleteExpired()
      // The round that deletes waits for the queues to be on the medium.
      at.disk.faults.slow({ on: 'sync', ms: 100_000, path: 'consumequeue' })
      put(opened, message('T', 'to be synced'))
      if (when === 'before') await at.clock.advanceAsync(30_000)
      assert.equal(opened.store.minPhysicalOffset, 0)
      opened.store.append(draftOf(message('T', 'bad')), new Outcomes())
      queueOf(opened).maxOffset++
      assert.throws(() => opened.turn.run(), BrokenInvariant)
      at.disk.faults.clear()
      await at.clock.advanceAsync(200_000)
      assert.equal(opened.store.minPhysicalOffset, 0)
    })

  test('what is released more often than it was pinned is no release', () => {
    const at = new BareStore()
    at.parts.appender.append(draftOf(message('T', 'a')), new Outcomes())
    at.turn.run()
    const handle = at.parts.log.segments.acquire(at.parts.log.segments.first!)
    at.parts.log.segments.release(handle)
    assert.throws(() => at.parts.log.segments.release(handle), BrokenInvariant)
    assert.equal(handle.pins, 0)
  })
})
