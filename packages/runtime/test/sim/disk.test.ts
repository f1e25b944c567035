import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SimClock, SimDisk, SimRandom, sectorBytes } from '../../src/index.ts'
import { testDisk } from '../disk-contract.ts'

testDisk('SimDisk', () => {
  const disk = new SimDisk(new SimClock())
  disk.makeDirectory('/store')
  return { disk, root: '/store' }
})

/** A disk with a file whose name is on the medium. */
function oneFile(content = '') {
  const clock = new SimClock()
  const disk = new SimDisk(clock)
  const file = disk.open('/a', 'create')
  if (content !== '') file.writeSync(Buffer.from(content), 0, content.length, 0)
  file.syncDataSync()
  disk.syncDirectory('/')
  return { clock, disk, file }
}

/** What is found after a power cut, over many seeds. */
function outcomes(seeds: number, run: (random: SimRandom) => string): Set<string> {
  return new Set(Array.from({ length: seeds }, (_, seed) => run(new SimRandom(seed))))
}

const fill = (value: number, length: number) => Buffer.alloc(length, value)

test('what is synced survives a power cut, whatever the seed', () => {
  const found = outcomes(50, random => {
    const { disk, file } = oneFile()
    file.writeSync(Buffer.from('kept'), 0, 4, 0)
    file.syncDataSync()
    disk.powerCut(random)
    return disk.readFile('/a').toString()
  })
  assert.deepEqual([...found], ['kept'])
})

test('what is not synced may be there, be missing, or be there in part', () => {
  const size = 4 * sectorBytes
  const found = outcomes(200, random => {
    const { disk, file } = oneFile()
    file.writeSync(fill(1, size), 0, size, 0)
    disk.powerCut(random)
    const bytes = disk.readFile('/a')
    const sectors = Array.from({ length: Math.ceil(bytes.length / sectorBytes) }, (_, i) => bytes[i * sectorBytes])
    return sectors.join('')
  })
  assert.ok(found.has(''), 'nothing')
  assert.ok(found.has('1111'), 'all')
  assert.ok(found.has('1'), 'a beginning')
  assert.ok(
    [...found].some(sectors => /0.*1/.test(sectors)),
    'a later sector without an earlier one',
  )
})

test('a sector is never torn: it is one of the versions it had since the last sync', () => {
  const write = fc.record({ position: fc.nat(3_000), length: fc.integer({ min: 1, max: 1_500 }), sync: fc.boolean() })
  fc.assert(
    fc.property(fc.array(write, { minLength: 1, maxLength: 12 }), fc.nat(), (writes, seed) => {
      const { disk, file } = oneFile()
      const size = 10 * sectorBytes
      file.writeSync(fill(0, size), 0, size, 0)
      file.syncDataSync()
      const now = fill(0, size)
      const versions: Set<string>[] = Array.from({ length: 10 }, () => new Set())
      const sector = (bytes: Buffer, i: number) => bytes.toString('hex', i * sectorBytes, (i + 1) * sectorBytes)
      const note = () => {
        for (let i = 0; i < 10; i++) versions[i]!.add(sector(now, i))
      }
      note()
      for (const [i, { position, length, sync }] of writes.entries()) {
        now.fill(i + 1, position, position + length)
        file.writeSync(fill(i + 1, length), 0, length, position)
        if (sync) {
          file.syncDataSync()
          for (const set of versions) set.clear()
        }
        note()
      }
      disk.powerCut(new SimRandom(seed))
      const found = disk.readFile('/a')
      assert.equal(found.length, size)
      for (let i = 0; i < 10; i++) assert.ok(versions[i]!.has(sector(found, i)), `sector ${i}`)
    }),
  )
})

test('writes of one file may reach the medium in another order', () => {
  const found = outcomes(100, random => {
    const { disk, file } = oneFile('.'.repeat(2 * sectorBytes))
    file.writeSync(fill(65, sectorBytes), 0, sectorBytes, 0)
    file.writeSync(fill(66, sectorBytes), 0, sectorBytes, sectorBytes)
    disk.powerCut(random)
    const bytes = disk.readFile('/a')
    return String.fromCharCode(bytes[0]!, bytes[sectorBytes]!)
  })
  assert.deepEqual([...found].sort(), ['..', '.B', 'A.', 'AB'])
})

test('a truncation that is not synced may be undone; one that is synced is not', () => {
  const cut = (sync: boolean) =>
    outcomes(60, random => {
      const { disk, file } = oneFile('0123456789')
      file.truncateSync(4)
      if (sync) file.syncDataSync()
      disk.powerCut(random)
      return disk.readFile('/a').toString()
    })
  assert.deepEqual([...cut(false)].sort(), ['0123', '0123456789'])
  assert.deepEqual([...cut(true)], ['0123'])
})

test('a sync covers what was written before it began and nothing later', async () => {
  const found = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const { clock, disk, file } = oneFile()
    disk.faults.slow({ on: 'sync', ms: 100 })
    file.writeSync(Buffer.from('before'), 0, 6, 0)
    const syncing = file.syncData()
    file.writeSync(fill(66, 6), 0, 6, 0)
    await clock.until(syncing)
    disk.powerCut(new SimRandom(seed))
    found.add(disk.readFile('/a').toString())
  }
  assert.deepEqual([...found].sort(), ['BBBBBB', 'before'])
})

test('a power cut during a sync promises nothing, and the sync never comes back', async () => {
  const { clock, disk, file } = oneFile()
  disk.faults.slow({ on: 'sync', ms: 100 })
  file.writeSync(Buffer.from('x'), 0, 1, 0)
  let back = false
  file.syncData().finally(() => {
    back = true
  })
  await clock.advanceAsync(50)
  disk.powerCut(new SimRandom(1))
  await clock.advanceAsync(500)
  assert.equal(back, false)
  assert.throws(() => file.size(), { code: 'EDEAD' })
  assert.equal(disk.open('/a', 'read').size() <= 1, true)
})

test('a name is lost when its directory was not synced, and kept when it was', () => {
  const create = (sync: boolean) =>
    outcomes(40, random => {
      const disk = new SimDisk(new SimClock())
      disk.makeDirectory('/d')
      disk.syncDirectory('/')
      const file = disk.open('/d/new', 'create')
      file.syncDataSync()
      if (sync) disk.syncDirectory('/d')
      disk.powerCut(random)
      return disk.list('/d').join()
    })
  assert.deepEqual([...create(false)].sort(), ['', 'new'])
  assert.deepEqual([...create(true)], ['new'])
})

test('a directory whose own name was not synced may be lost with all that is in it', () => {
  const found = outcomes(40, random => {
    const disk = new SimDisk(new SimClock())
    disk.makeDirectory('/d')
    disk.writeFile('/d/a', Buffer.from('a'))
    disk.syncDirectory('/d')
    disk.powerCut(random)
    return `${disk.list('/').join()}:${disk.list('/d').join()}`
  })
  assert.deepEqual([...found].sort(), [':', 'd:a'])
})

test('a rename is atomic: after a power cut the target is the old or the new file, never none', () => {
  const found = outcomes(100, random => {
    const { disk } = oneFile('old')
    const next = disk.open('/a.tmp', 'create')
    next.writeSync(Buffer.from('new'), 0, 3, 0)
    next.syncDataSync()
    disk.rename('/a.tmp', '/a')
    disk.powerCut(random)
    return `${disk.list('/').join()}=${disk.readFile('/a')}`
  })
  assert.deepEqual([...found].sort(), ['a,a.tmp=old', 'a=new', 'a=old'])
})

test('a rename of bytes that were not synced may leave a torn file under the target: sync before rename', () => {
  const found = outcomes(100, random => {
    const { disk } = oneFile('old')
    disk.writeFile('/a.tmp', Buffer.from('new'))
    disk.rename('/a.tmp', '/a')
    disk.syncDirectory('/')
    disk.powerCut(random)
    return disk.readFile('/a').toString()
  })
  assert.ok(found.has(''))
  assert.ok(found.has('new'))
  assert.ok(!found.has('old'))
})

test('a removed name may come back with its synced bytes until the directory is synced', () => {
  const remove = (sync: boolean) =>
    outcomes(40, random => {
      const { disk } = oneFile('old')
      disk.remove('/a')
      if (sync) disk.syncDirectory('/')
      disk.powerCut(random)
      return disk
        .list('/')
        .map(name => disk.readFile(`/${name}`).toString())
        .join()
    })
  assert.deepEqual([...remove(false)].sort(), ['', 'old'])
  assert.deepEqual([...remove(true)], [''])
})

test('the same seed gives the same outcome', () => {
  const run = () => {
    const { disk, file } = oneFile()
    for (let i = 0; i < 20; i++) file.writeSync(fill(i, 700), 0, 700, i * 333)
    disk.powerCut(new SimRandom(99))
    return disk.readFile('/a').toString('hex')
  }
  assert.equal(run(), run())
})

test('after a power cut the disk works on, and a second one finds what was synced since', () => {
  const { disk } = oneFile('one')
  disk.powerCut(new SimRandom(1))
  const file = disk.open('/a', 'write')
  file.writeSync(Buffer.from('two'), 0, 3, 0)
  file.syncDataSync()
  disk.powerCut(new SimRandom(2))
  assert.equal(disk.readFile('/a').toString(), 'two')
})

test('a sync that fails loses its writes for good, although they stay readable and later syncs succeed', () => {
  const found = outcomes(60, random => {
    const { disk, file } = oneFile('....')
    file.writeSync(Buffer.from('lost'), 0, 4, 0)
    disk.faults.fail({ on: 'sync', code: 'EIO', times: 1 })
    assert.throws(() => file.syncDataSync(), { code: 'EIO' })
    file.syncDataSync()
    assert.equal(disk.readFile('/a').toString(), 'lost')
    disk.powerCut(random)
    return disk.readFile('/a').toString()
  })
  assert.deepEqual([...found].sort(), ['....', 'lost'])
})

test('a full disk takes what fits, then nothing, and works again when there is room', () => {
  const { disk, file } = oneFile()
  disk.faults.bytesUntilFull = 6
  file.writeSync(Buffer.from('1234'), 0, 4, 0)
  assert.throws(() => file.writeSync(Buffer.from('5678'), 0, 4, 4), { code: 'ESHORTWRITE' })
  assert.equal(file.size(), 6)
  assert.throws(() => file.writeSync(Buffer.from('5678'), 0, 4, 4), { code: 'ENOSPC', retriable: true })
  assert.equal(disk.space('/').usableBytes, 0)
  disk.faults.clear()
  file.writeSync(Buffer.from('5678'), 0, 4, 4)
  assert.equal(disk.readFile('/a').toString(), '12345678')
})

test('faults hit the named calls and paths, after as many and as often as told, until lifted', () => {
  const { disk, file } = oneFile('abcd')
  const one = Buffer.from('x')
  disk.faults.fail({ on: 'write', code: 'EIO', path: '/other' })
  disk.faults.fail({ on: 'write', code: 'EIO', path: '/a', skip: 1, times: 2 })
  file.writeSync(one, 0, 1, 0)
  assert.throws(() => file.writeSync(one, 0, 1, 0), { code: 'EIO' })
  assert.throws(() => file.writeSync(one, 0, 1, 0), { code: 'EIO' })
  file.writeSync(one, 0, 1, 0)
  const lift = disk.faults.fail({ on: 'read', code: 'EIO' })
  assert.throws(() => file.readSync(Buffer.alloc(1), 0, 1, 0), { code: 'EIO' })
  lift()
  assert.equal(file.readSync(Buffer.alloc(1), 0, 1, 0), 1)
  disk.faults.fail({ on: 'names', code: 'EROFS' })
  assert.throws(() => disk.rename('/a', '/b'), { code: 'EROFS' })
})

test('a short write leaves half of its bytes and throws', () => {
  const { disk, file } = oneFile()
  disk.faults.fail({ on: 'write', code: 'ESHORTWRITE', times: 1 })
  assert.throws(() => file.writeSync(Buffer.from('123456'), 0, 6, 0), { code: 'ESHORTWRITE' })
  assert.equal(disk.readFile('/a').toString(), '123')
})

test('a slow synchronous call blocks the clock, a slow asynchronous one takes a timer', async () => {
  const { clock, disk, file } = oneFile()
  disk.faults.slow({ on: 'write', ms: 250 })
  file.writeSync(Buffer.from('x'), 0, 1, 0)
  assert.equal(clock.monotonic(), 250)
  disk.faults.clear()
  disk.faults.slow({ on: 'sync', ms: 40 })
  disk.faults.slow({ on: 'sync', ms: 2, path: '/a' })
  const started = clock.monotonic()
  await clock.until(file.syncData())
  assert.equal(clock.monotonic() - started, 42)
})

test('the view of a dead process is dead, what it wrote is not', () => {
  const { disk } = oneFile()
  const life = { alive: true }
  const view = disk.forProcess(life)
  const file = view.open('/a', 'write')
  file.writeSync(Buffer.from('written'), 0, 7, 0)
  life.alive = false
  assert.throws(() => file.writeSync(Buffer.from('x'), 0, 1, 0), { code: 'EDEAD' })
  assert.throws(() => view.list('/'), { code: 'EDEAD' })
  assert.equal(disk.readFile('/a').toString(), 'written')
})

test('the caller may reuse its buffer after a write', () => {
  const { disk, file } = oneFile()
  const bytes = Buffer.from('aaaa')
  file.writeSync(bytes, 0, 4, 0)
  bytes.fill('b')
  file.syncDataSync()
  file.writeSync(bytes, 0, 4, 4)
  disk.powerCut(new SimRandom(1))
  assert.equal(disk.readFile('/a').toString().slice(0, 4), 'aaaa')
})
