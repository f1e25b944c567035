import assert from 'node:assert/strict'
import test from 'node:test'
import { message, open, put, smallConfig, world } from './harness.ts'

test('a file of the index that is full in the last moment before an hour comes again is followed by another one', async () => {
  const zone = process.env.TZ
  process.env.TZ = 'Europe/Berlin'
  try {
    const at = world()
    // 02:59:59.999, and a millisecond later it is 02:00 again.
    at.clock.step(Date.UTC(2026, 9, 25, 0, 59, 59, 999) - at.clock.now())
    const opened = await open(at, smallConfig)
    for (let i = 0; i < 250; i++) put(opened, message('T', 'body', `KEYS\x01key${i}`))
    const query = { topic: 'T', key: 'key249', maxCount: 64, beginMs: 0, endMs: 4e12 }
    assert.equal((await opened.store.query(query)).physicalOffsets.length, 1)
    await at.clock.until(opened.store.stop())
    const names = at.disk.list('/store/index')
    assert.deepEqual([names.length, names[0]], [3, '20261025025959999'])
  } finally {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  }
})
