import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimClock, SimDisk, SimRandom } from '@skua-mq/runtime'
import { FileIdempotentStore } from '../../src/idempotent/file-store.ts'

const open = (disk: SimDisk, clock: SimClock, maxKeys = 100_000) =>
  new FileIdempotentStore('/keys', { disk, clock, maxKeys })

async function handle(store: FileIdempotentStore, key: string): Promise<void> {
  assert.equal(await store.begin(key), 'new', key)
  await store.done(key)
}

async function known(disk: SimDisk, clock: SimClock, keys: readonly string[]): Promise<string[]> {
  const store = open(disk, clock)
  const states = await Promise.all(keys.map(async key => [key, await store.begin(key)] as const))
  store.close()
  return states.filter(([, state]) => state === 'done').map(([key]) => key)
}

describe('a file of keys on a disk that fails', () => {
  test('says so, and brings what it could not write with the next key', async () => {
    for (const fault of [
      { on: 'write', code: 'ENOSPC' },
      { on: 'write', code: 'ESHORTWRITE' },
    ] as const) {
      const clock = new SimClock()
      const disk = new SimDisk(clock)
      const store = open(disk, clock)
      await handle(store, 'a')
      const lift = disk.faults.fail({ ...fault, times: 1 })
      assert.equal(await store.begin('b'), 'new')
      await assert.rejects(store.done('b'), fault.code)
      lift()
      assert.equal(await store.begin('b'), 'done', 'it was handled all the same')
      await handle(store, 'c')
      store.close()
      assert.deepEqual(await known(disk, clock, ['a', 'b', 'c']), ['a', 'b', 'c'])
      assert.equal(disk.openFiles, 0)
    }
  })

  test('forgets nothing where it cannot be opened or read at first', async () => {
    for (const on of ['open', 'read', 'truncate'] as const) {
      const clock = new SimClock()
      const disk = new SimDisk(clock)
      const before = open(disk, clock)
      for (const key of ['a', 'b']) await handle(before, key)
      before.close()
      const store = open(disk, clock)
      const lift = disk.faults.fail({ on, code: 'EIO' })
      await assert.rejects(store.begin('a'), /EIO/, on)
      lift()
      assert.equal(await store.begin('a'), 'done', on)
      await handle(store, 'c')
      store.close()
      assert.deepEqual(await known(disk, clock, ['a', 'b', 'c']), ['a', 'b', 'c'], on)
      assert.equal(disk.openFiles, 0, on)
    }
  })

  test('goes on with the old file where it cannot be written anew', async () => {
    for (const on of ['open', 'write', 'sync', 'names'] as const) {
      const clock = new SimClock()
      const disk = new SimDisk(clock)
      const store = open(disk, clock, 5)
      for (let n = 0; n <= 10_000; n++) await handle(store, `key${n}`)
      let failures = 0
      const lift = disk.faults.fail({ on, code: 'EIO' })
      for (let n = 0; n < 10; n++) {
        assert.equal(await store.begin(`more${n}`), 'new')
        await store.done(`more${n}`).catch(() => failures++)
      }
      assert.ok(failures > 0, on)
      lift()
      await handle(store, 'last')
      store.close()
      assert.deepEqual(await known(disk, clock, ['more8', 'more9', 'last']), ['more8', 'more9', 'last'], on)
      assert.equal(disk.openFiles, 0, on)
    }
  })

  test('loses the last ones at most when the machine loses its power while it is written anew', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const clock = new SimClock()
      const disk = new SimDisk(clock)
      const random = new SimRandom(seed)
      const store = open(disk, clock, 50)
      for (let n = 0; n <= 10_000; n++) await handle(store, `key${n}`)
      // All that is old has long reached the medium.
      const file = disk.open('/keys', 'write')
      file.syncDataSync()
      file.closeSync()
      disk.syncDirectory('/')
      const more = 40 + random.int(30)
      for (let n = 0; n < more; n++) await handle(store, `more${n}`)
      disk.powerCut(random)
      const keys = [
        ...Array.from({ length: 10_001 }, (_, n) => `key${n}`),
        ...Array.from({ length: more }, (_, n) => `more${n}`),
      ]
      const found = await known(disk, clock, keys)
      assert.ok(found.length >= 50, `seed ${seed}: ${found.length} keys are left`)
    }
  })
})
