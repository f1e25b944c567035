import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Disk } from '../src/index.ts'

const codeIs = (code: string) => (error: { code?: string }) => error.code === code

/** What every Disk promises; `make` gives an empty directory of a fresh one. */
export function testDisk(name: string, make: () => { disk: Disk; root: string }): void {
  test(`${name}: bytes are read where they were written, holes as zeros, less only at the end`, async () => {
    const { disk, root } = make()
    const file = disk.open(`${root}/a`, 'create')
    const bytes = Buffer.from('xxhelloxx')
    file.writeSync(bytes, 2, 7, 100_000)
    await file.write(bytes, 2, 4, 0)
    assert.equal(file.size(), 100_005)
    const into = Buffer.alloc(12, 0xff)
    assert.equal(file.readSync(into, 1, 10, 99_997), 8)
    assert.equal(into.toString('latin1'), '\xff\0\0\0hello\xff\xff\xff')
    assert.equal(await file.read(into, 0, 3, 0), 3)
    assert.equal(into.toString('latin1', 0, 3), 'he\0')
    assert.equal(file.readSync(into, 0, 5, 200_000), 0)
    file.syncDataSync()
    await file.syncData()
    file.closeSync()
  })

  test(`${name}: truncation grows with zeros and cuts for good`, () => {
    const { disk, root } = make()
    const file = disk.open(`${root}/a`, 'create')
    file.writeSync(Buffer.alloc(200_000, 1), 0, 200_000, 0)
    file.truncateSync(70_001)
    file.truncateSync(300_000)
    const into = Buffer.alloc(4)
    assert.equal(file.size(), 300_000)
    file.readSync(into, 0, 4, 69_999)
    assert.deepEqual([...into], [1, 1, 0, 0])
    file.readSync(into, 0, 4, 150_000)
    assert.deepEqual([...into], [0, 0, 0, 0])
    file.closeSync()
  })

  test(`${name}: modes of open`, () => {
    const { disk, root } = make()
    assert.throws(() => disk.open(`${root}/a`, 'read'), codeIs('ENOENT'))
    assert.throws(() => disk.open(`${root}/a`, 'write'), codeIs('ENOENT'))
    assert.throws(() => disk.open(`${root}/none/a`, 'create'), codeIs('ENOENT'))
    disk.writeFile(`${root}/a`, Buffer.from('kept'))
    const created = disk.open(`${root}/a`, 'create')
    assert.equal(created.size(), 4)
    created.closeSync()
    const read = disk.open(`${root}/a`, 'read')
    assert.throws(() => read.writeSync(Buffer.from('x'), 0, 1, 0), codeIs('EBADF'))
    read.closeSync()
    assert.throws(() => read.size(), codeIs('EBADF'))
  })

  test(`${name}: rename replaces a file, and an open file outlives its name`, () => {
    const { disk, root } = make()
    disk.writeFile(`${root}/a`, Buffer.from('new'))
    disk.writeFile(`${root}/b`, Buffer.from('old'))
    const old = disk.open(`${root}/b`, 'write')
    disk.rename(`${root}/a`, `${root}/b`)
    assert.deepEqual(disk.list(root), ['b'])
    assert.equal(disk.readFile(`${root}/b`).toString(), 'new')
    const into = Buffer.alloc(3)
    old.readSync(into, 0, 3, 0)
    assert.equal(into.toString(), 'old')
    old.closeSync()
    assert.throws(() => disk.rename(`${root}/none`, `${root}/c`), codeIs('ENOENT'))
  })

  test(`${name}: directories are made with parents, listed in order and removed with all in them`, () => {
    const { disk, root } = make()
    disk.makeDirectory(`${root}/x/y`)
    disk.makeDirectory(`${root}/x/y`)
    for (const file of ['b', 'B', 'a', '10', '9']) disk.writeFile(`${root}/x/y/${file}`, Buffer.from(file))
    assert.deepEqual(disk.list(`${root}/x/y`), ['10', '9', 'B', 'a', 'b'])
    assert.equal(disk.stat(`${root}/x`)?.directory, true)
    assert.deepEqual(disk.list(`${root}/none`), [])
    assert.equal(disk.stat(`${root}/x/y/a/under-a-file`), undefined)
    disk.remove(`${root}/x/y/a/under-a-file`)
    disk.syncDirectory(`${root}/x`)
    disk.remove(`${root}/x`)
    disk.remove(`${root}/x`)
    assert.equal(disk.stat(`${root}/x`), undefined)
    assert.throws(() => disk.readFile(`${root}/x/y/a`), codeIs('ENOENT'))
    assert.throws(() => disk.syncDirectory(`${root}/x`), codeIs('ENOENT'))
  })

  test(`${name}: the modification time can be set`, () => {
    const { disk, root } = make()
    disk.writeFile(`${root}/a`, Buffer.from('12345'))
    const file = disk.open(`${root}/a`, 'write')
    file.touch(1_600_000_000_123)
    file.closeSync()
    assert.deepEqual(disk.stat(`${root}/a`), { size: 5, modifiedAtMs: 1_600_000_000_123, directory: false })
  })

  test(`${name}: writeFile replaces all that was there`, () => {
    const { disk, root } = make()
    disk.writeFile(`${root}/a`, Buffer.from('a long one'))
    disk.writeFile(`${root}/a`, Buffer.from('short'))
    assert.equal(disk.readFile(`${root}/a`).toString(), 'short')
  })

  test(`${name}: there is some space`, () => {
    const { disk, root } = make()
    const { totalBytes, usableBytes } = disk.space(`${root}/not/yet/there`)
    assert.ok(totalBytes >= usableBytes && usableBytes > 0)
  })
}
