import assert from 'node:assert/strict'
import test from 'node:test'
import { SimRandom } from '@skua-mq/runtime'
import type { StoreConfig } from '../src/index.ts'
import { draftOf, drain, message, Outcomes, open, smallConfig, world } from './harness.ts'

const places: Record<string, Partial<StoreConfig>> = {
  'several directories that are new': { storePathRootDir: '/data/mq/store' },
  'a commit log beside the store': { storePathRootDir: '/store', storePathCommitLog: '/fast/mq/log' },
}

for (const [name, place] of Object.entries(places))
  test(`what was synced survives a power cut, with all the names that lead there: ${name}`, async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const at = world()
      const config: StoreConfig = { ...smallConfig, ...place, flushDiskType: 'SYNC_FLUSH' }
      const opened = await open(at, config)
      const outcomes = new Outcomes()
      opened.store.append(draftOf(message('T', 'synced')), outcomes)
      opened.turn.run()
      await at.clock.advanceAsync(0)
      opened.turn.run()
      assert.equal(outcomes.all[0]?.status, 'ok')
      at.disk.powerCut(new SimRandom(seed))
      const again = await open(at, config, { bootId: 'next' })
      assert.deepEqual(await drain(again, 'T'), ['synced'], `seed ${seed}`)
      await at.clock.until(again.store.stop())
    }
  })
