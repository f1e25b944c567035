import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type SimDisk, SimRandom } from '@skua-mq/runtime'
import { storedMessages } from '../src/index.ts'
import { message, open, put, smallConfig, world } from './harness.ts'

async function onDisk(disk: SimDisk): Promise<number> {
  let count = 0
  for await (const _ of storedMessages(disk, '/store')) count++
  return count
}

/** Whether a message whose body has so many bytes survives every power cut so long after it was stored. */
async function isSynced(bodyBytes: number, afterMs: number, config: Partial<typeof smallConfig> = {}) {
  // What was not synced survives some cuts and not others.
  for (let seed = 1; seed <= 12; seed++) {
    const at = world()
    const opened = await open(at, { ...smallConfig, mappedFileSizeCommitLog: 65_536, ...config })
    // The file itself is there before.
    put(opened, message('T', 'first'))
    await at.clock.advanceAsync(10_600)
    put(opened, message('T', 'x'.repeat(bodyBytes)))
    await at.clock.advanceAsync(afterMs)
    at.disk.powerCut(new SimRandom(seed))
    if ((await onDisk(at.disk)) < 2) return false
  }
  return true
}

describe('under ASYNC_FLUSH', () => {
  test('a few dirty bytes are synced with the thorough flush only, flushCommitLogLeastPages of them at the next interval', async () => {
    assert.equal(await isSynced(100, 1000), false)
    assert.equal(await isSynced(100, 10_500), true)
    assert.equal(await isSynced(4 * 4096, 1000), true)
    assert.equal(await isSynced(100, 1000, { flushCommitLogLeastPages: 0 }), true)
    assert.equal(await isSynced(100, 4000, { flushCommitLogThoroughInterval: 3000 }), true)
  })

  test('flushCommitLogTimed=false syncs after each write that fills enough pages', async () => {
    assert.equal(await isSynced(4 * 4096, 10), false)
    assert.equal(await isSynced(4 * 4096, 10, { flushCommitLogTimed: false }), true)
    assert.equal(await isSynced(100, 10, { flushCommitLogTimed: false }), false)
  })
})
