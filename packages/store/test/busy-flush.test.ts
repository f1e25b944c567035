import assert from 'node:assert/strict'
import test from 'node:test'
import { readDispatchPoints } from '../src/recovery/dispatch-point.ts'
import { draftOf, message, Outcomes, open, smallConfig, world } from './harness.ts'

test('synchronous flushes without a pause keep neither dispatch points nor retention from going on', async () => {
  const at = world()
  const opened = await open(at, { ...smallConfig, flushDiskType: 'SYNC_FLUSH', fileReservedTime: 0 })
  at.disk.faults.slow({ on: 'sync', ms: 5, path: 'commitlog' })
  const outcomes = new Outcomes()
  opened.store.deleteExpired()
  for (let ms = 0; ms < 180_000; ms += 4) {
    opened.store.append(draftOf(message('T', 'x')), outcomes)
    opened.turn.run()
    await at.clock.advanceAsync(4)
  }
  opened.turn.run()
  assert.ok(outcomes.all.every(({ status }) => status === 'ok'))
  const points = readDispatchPoints(at.disk, '/store/skua.dispatch')
  assert.ok((points?.synced.physicalOffset ?? 0) > 0, 'the synced point has moved')
  assert.ok(opened.store.minPhysicalOffset > 0, 'retention has deleted')
  await at.clock.until(opened.store.stop())
})
