import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeDirectorySynced, SimClock, SimDisk, SimRandom } from '@skua-mq/runtime'
import { DirtyFiles } from '../../src/file/dirty-files.ts'
import { OpenFiles } from '../../src/file/open-files.ts'

const bytes = Buffer.from('a unit of a queue')

function world() {
  const clock = new SimClock()
  const disk = new SimDisk(clock)
  const files = new OpenFiles(disk, 10)
  const dirty = new DirtyFiles({ disk, files })
  makeDirectorySynced(disk, '/store')
  disk.makeDirectory('/store/queues/T/0')
  const write = (name: string) => {
    const path = `/store/queues/T/0/${name}`
    const handle = files.acquireSized(path, 4096)
    handle.file.writeSync(bytes, 0, bytes.length, 0)
    files.release(handle)
    dirty.wrote(path)
    dirty.named('/store/queues/T/0', '/store/queues')
  }
  /** Names of files whose bytes are there after a power cut. */
  const left = (seed: number) => {
    disk.powerCut(new SimRandom(seed))
    const names = disk.list('/store/queues/T/0')
    return names.filter(name => disk.readFile(`/store/queues/T/0/${name}`).subarray(0, bytes.length).equals(bytes))
  }
  return { clock, disk, dirty, write, left }
}

test('what is synced survives a power cut, names included', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, dirty, write, left } = world()
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) write(name)
    await clock.until(dirty.sync())
    assert.deepEqual(left(seed), ['a', 'b', 'c', 'd', 'e', 'f'])
  }
})

test('after a failed fdatasync a file is listed on, and its bytes are written again before the next one is believed', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, disk, dirty, write, left } = world()
    for (const name of ['a', 'b', 'c']) write(name)
    const lift = disk.faults.fail({ on: 'sync', code: 'EIO', path: '/b' })
    await assert.rejects(clock.until(dirty.sync()), { code: 'EIO' })
    lift()
    await clock.until(dirty.sync())
    assert.deepEqual(left(seed), ['a', 'b', 'c'], `seed ${seed}`)
  }
})

test('names that come while their directory is synced are synced with the next files', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, disk, dirty, write, left } = world()
    write('a')
    const lift = disk.faults.slow({ on: 'sync', ms: 100, path: '/store/queues/T/0' })
    const first = dirty.sync()
    // The file's turn is over, that of its directory is not.
    await clock.advanceAsync(150)
    write('b')
    await clock.until(first)
    lift()
    await clock.until(dirty.sync())
    assert.deepEqual(left(seed), ['a', 'b'], `seed ${seed}`)
  }
})

test('a directory that could not be synced is synced with the next files, and they are not called synced before', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, disk, dirty, write, left } = world()
    write('a')
    const lift = disk.faults.fail({ on: 'names', code: 'EIO', path: '/store/queues/T', times: 1 })
    await assert.rejects(clock.until(dirty.sync()), { code: 'EIO' })
    lift()
    await clock.until(dirty.sync())
    assert.deepEqual(left(seed), ['a'], `seed ${seed}`)
  }
})

test('many directories are synced in the pool, several at a time', async () => {
  const { clock, disk, dirty } = world()
  for (let i = 0; i < 40; i++) {
    disk.makeDirectory(`/store/queues/T/${i}`)
    dirty.named(`/store/queues/T/${i}`, '/store/queues')
  }
  disk.faults.slow({ on: 'sync', ms: 100, path: '/store/queues/T/' })
  const begunMs = clock.monotonic()
  await clock.until(dirty.sync())
  assert.equal(clock.monotonic() - begunMs, 1000)
})
