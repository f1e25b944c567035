import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerOffsetFile } from '@skua-mq/protocol'
import { OffsetTable } from '../../src/offset/offset-table.ts'
import { PendingResets } from '../../src/offset/pending-resets.ts'
import { TableFile } from '../../src/persist/table-file.ts'
import { CheckPoints } from '../../src/pop/check-points.ts'
import { PopPositions } from '../../src/pop/positions.ts'
import { StoreMachine } from '../store-machine.ts'

/** A group that pops a queue of ten messages, and a log whose syncs take half a second. */
async function setting({ limit = 1000 } = {}) {
  const machine = new StoreMachine()
  const { store, runtime } = await machine.boot()
  await machine.put(
    store,
    Array.from({ length: 10 }, (_, n) => ({ topic: 'T', body: `m${n}` })),
  )
  const file = new TableFile({ ...runtime, codec: consumerOffsetFile, path: '/store/config/consumerOffset.json' })
  const offsets = new OffsetTable({ ...runtime, file, intervalMs: () => 5000, limit })
  const points = new CheckPoints(runtime.clock, () => 1e6)
  const parts = { ...runtime, store, offsets, points, reviveTopic: 'R', reviveQueues: () => 0 }
  const positions = new PopPositions({
    ...{ ...parts, resets: new PendingResets(), wasReset: () => {}, checkInMemory: true, rereadLimit: () => 1000 },
  })
  positions.start()
  machine.disk.faults.slow({ on: 'sync', ms: 500, path: 'commitlog' })
  let n = 0
  const pop = async (next: number) => {
    positions.move(positions.at('T', 'g', 0, 0), next)
    // Its check point.
    await machine.put(store, [{ topic: 'C', body: `${n++}` }])
  }
  return { machine, offsets, positions, pop, inTable: () => offsets.find('g', 'T', 0) }
}

test('the table of offsets has what was popped when the log is synced, and what was popped during that later', async () => {
  const { machine, positions, pop, inTable } = await setting()
  await pop(3)
  const committing = positions.commit()
  await machine.clock.advanceAsync(200)
  assert.equal(inTable(), 0, 'the sync is under way')
  await pop(5)
  await machine.clock.until(committing)
  assert.equal(inTable(), 3)
  assert.equal(positions.peek('T', 'g', 0), 5)
  await machine.clock.until(positions.commit())
  assert.equal(inTable(), 5)
  await machine.clock.until(positions.stop())
})

test('a group for which the table of offsets has no room says so, and is not popped for: it would have the same again and again', async () => {
  const { machine, offsets, positions } = await setting({ limit: 1 })
  assert.equal(positions.at('T', 'g', 0, 0).isKept, true)
  const other = positions.at('T', 'other', 0, 0)
  assert.equal(other.isKept, false)
  positions.move(other, 4)
  assert.equal(positions.at('T', 'other', 0, 0).next, 0, 'nothing of it is remembered')
  offsets.deleteGroup('g', 'an administrator')
  positions.groupDeleted('g')
  assert.equal(positions.at('T', 'other', 0, 0).isKept, true)
  positions.move(positions.at('T', 'other', 0, 0), 4)
  assert.equal(positions.at('T', 'other', 0, 0).next, 4)
  await machine.clock.until(positions.stop())
})

test('a sync that fails moves nothing, and the next one all of it', async () => {
  const { machine, positions, pop, inTable } = await setting()
  await pop(3)
  machine.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog', times: 1 })
  await machine.clock.until(positions.commit())
  assert.equal(inTable(), 0)
  for (let tries = 0; tries < 20 && inTable() === 0; tries++) await machine.clock.advanceAsync(1000)
  assert.equal(inTable(), 3)
  await machine.clock.until(positions.stop())
})

test('whoever moves the group by hand during a sync wins, and the next pop goes on from there', async () => {
  const { machine, offsets, positions, pop, inTable } = await setting()
  await pop(3)
  const committing = positions.commit()
  await machine.clock.advanceAsync(200)
  offsets.commit({ group: 'g', topic: 'T', queueId: 0, offset: 1, who: 'an administrator' })
  await machine.clock.until(committing)
  assert.equal(inTable(), 1)
  assert.equal(positions.at('T', 'g', 0, 0).next, 1)
  await machine.clock.until(positions.stop())
})

test('who asks for all to be settled has what was popped during the commit that is under way, too', async () => {
  const { machine, offsets, positions, pop, inTable } = await setting()
  await pop(3)
  void positions.commit()
  await machine.clock.advanceAsync(200)
  await pop(5)
  await machine.clock.until(offsets.settled())
  assert.equal(inTable(), 5)
  await machine.clock.until(positions.stop())
})

test('a stop commits what was popped last', async () => {
  const { machine, positions, pop, inTable } = await setting()
  await pop(7)
  await machine.clock.until(positions.stop())
  assert.equal(inTable(), 7)
})
