import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, SimClock } from '../../src/index.ts'
import { pageBytes } from '../../src/memory/pages.ts'
import { testDisk } from '../disk-contract.ts'

const make = (capacityBytes?: number) =>
  new MemoryDisk({ clock: new SimClock(), ...(capacityBytes === undefined ? {} : { capacityBytes }) })

testDisk('MemoryDisk', () => {
  const disk = make()
  disk.makeDirectory('/store')
  return { disk, root: '/store' }
})

test('growing a file by truncation takes no memory, writing does by pages, cutting and removing give it back', () => {
  const disk = make()
  const free = () => disk.space('/').usableBytes
  const all = free()
  const file = disk.open('/a', 'create')
  file.truncateSync(2 ** 30)
  assert.equal(free(), all)
  file.writeSync(Buffer.from('ab'), 0, 2, pageBytes - 1)
  assert.equal(free(), all - 2 * pageBytes)
  file.writeSync(Buffer.from('ab'), 0, 2, pageBytes - 1)
  assert.equal(free(), all - 2 * pageBytes)
  file.truncateSync(pageBytes)
  assert.equal(free(), all - pageBytes)
  disk.remove('/a')
  assert.equal(free(), all)
  file.writeSync(Buffer.from('ab'), 0, 2, 5 * pageBytes)
  file.truncateSync(0)
  assert.equal(free(), all)
})

test('a file that is replaced by a rename gives its memory back', () => {
  const disk = make()
  const all = disk.space('/').usableBytes
  disk.writeFile('/a', Buffer.from('a'))
  disk.writeFile('/b', Buffer.from('b'))
  disk.rename('/a', '/b')
  assert.equal(disk.space('/').usableBytes, all - pageBytes)
})

test('above its capacity the disk is full, and usable again after a removal', () => {
  const disk = make(2 * pageBytes)
  disk.writeFile('/a', Buffer.alloc(pageBytes))
  disk.writeFile('/b', Buffer.alloc(pageBytes))
  const file = disk.open('/c', 'create')
  assert.throws(() => file.writeSync(Buffer.from('c'), 0, 1, 0), { code: 'ENOSPC' })
  assert.equal(file.size(), 0)
  disk.remove('/a')
  file.writeSync(Buffer.from('c'), 0, 1, 0)
})

test('a directory is not replaced by a file, nor a full one by another directory', () => {
  const disk = make()
  disk.makeDirectory('/d/e')
  disk.makeDirectory('/x')
  disk.writeFile('/f', Buffer.from('f'))
  assert.throws(() => disk.rename('/f', '/d'), { code: 'EISDIR' })
  assert.throws(() => disk.rename('/d', '/f'), { code: 'ENOTDIR' })
  assert.throws(() => disk.rename('/x', '/d'), { code: 'ENOTEMPTY' })
  assert.throws(() => disk.makeDirectory('/f/g'), { code: 'ENOTDIR' })
})
