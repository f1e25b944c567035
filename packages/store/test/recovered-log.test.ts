import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDispatchPoints } from '../src/recovery/dispatch-point.ts'
import { drain, message, open, put, smallConfig, world } from './harness.ts'

const log = '/store/commitlog/00000000000000000000'

test('after a crash a body that was damaged behind what was synced is found, unless checkCRCOnRecover says not to look', async () => {
  for (const checkCRCOnRecover of [true, false]) {
    const at = world()
    const config = { ...smallConfig, checkCRCOnRecover, flushIntervalCommitLog: 60_000 }
    const life = { alive: true }
    const first = await open(at, config, { disk: at.disk.forProcess(life) })
    const outcomes = put(first, message('A', 'first'), message('A', 'second'))
    life.alive = false
    const bytes = at.disk.readFile(log)
    const body = bytes.indexOf('second', outcomes[1]?.physicalOffset ?? 0)
    bytes[body] = 'S'.charCodeAt(0)
    at.disk.writeFile(log, bytes)
    const second = await open(at, config)
    assert.deepEqual(await drain(second, 'A'), checkCRCOnRecover ? ['first'] : ['first', 'Second'])
  }
})

test('times in the log do not go back with the wall clock, nor after a restart', async () => {
  const at = world()
  const storedAt = (physicalOffset: number) => Number(at.disk.readFile(log).readBigInt64BE(physicalOffset + 56))
  const first = await open(at)
  const [before] = put(first, message('A', 'before'))
  at.clock.step(-3_600_000)
  const [after] = put(first, message('A', 'after'))
  assert.equal(storedAt(after?.physicalOffset ?? 0), storedAt(before?.physicalOffset ?? 0))
  await at.clock.until(first.store.stop())
  const second = await open(at)
  const [restarted] = put(second, message('A', 'restarted'))
  assert.ok(storedAt(restarted?.physicalOffset ?? 0) >= storedAt(before?.physicalOffset ?? 0))
  await at.clock.until(second.store.stop())
})

test('while the log cannot be synced, the point of what is on the medium does not move', async () => {
  const at = world()
  const opened = await open(at)
  const synced = () => readDispatchPoints(at.disk, '/store/skua.dispatch')?.synced.physicalOffset ?? 0
  put(opened, message('A', 'on the medium'))
  await at.clock.advanceAsync(70_000)
  const before = synced()
  assert.ok(before > 0)
  const lift = at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog' })
  put(opened, message('A', 'not there'))
  await at.clock.advanceAsync(200_000)
  assert.equal(synced(), before)
  lift()
  await at.clock.advanceAsync(200_000)
  assert.ok(synced() > before)
  await at.clock.until(opened.store.stop())
})
