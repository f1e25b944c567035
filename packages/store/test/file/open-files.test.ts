import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Disk, type DiskFile, SimClock, SimDisk } from '@skua-mq/runtime'
import { OpenFiles } from '../../src/file/open-files.ts'

/** A disk that counts what is open. */
function counted() {
  const disk = new SimDisk(new SimClock())
  const open = new Set<DiskFile>()
  const counting: Disk = Object.create(disk, {
    open: {
      value: (path: string, mode: 'create') => {
        const file = disk.open(path, mode)
        const close = file.closeSync.bind(file)
        open.add(file)
        file.closeSync = () => {
          open.delete(file)
          close()
        }
        return file
      },
    },
  })
  return { disk: counting, open }
}

const sized = (files: OpenFiles, path: string) => files.acquireSized(path, 100)

test('no more than the limit stay open; the one that was used longest ago goes, and never one that is used', () => {
  const { disk, open } = counted()
  const files = new OpenFiles(disk, 3)
  const kept = sized(files, '/kept')
  for (const name of ['a', 'b', 'c', 'd']) files.release(sized(files, `/${name}`))
  assert.deepEqual([files.count, open.size], [3, 3])
  assert.ok(open.has(kept.file))
  const again = files.acquire('/c')
  files.release(sized(files, '/e'))
  files.release(sized(files, '/f'))
  assert.ok(open.has(again.file))
  files.release(again)
  files.release(kept)
  files.closeAll()
  assert.deepEqual([files.count, open.size], [0, 0])
})

test('a file that was removed is closed at once, or when its last reader is done', () => {
  const { disk, open } = counted()
  const files = new OpenFiles(disk, 10)
  const idle = sized(files, '/idle')
  files.release(idle)
  files.forget('/idle')
  assert.equal(open.size, 0)
  const read = sized(files, '/read')
  const twice = files.acquire('/read')
  files.forget('/read')
  files.release(read)
  assert.equal(open.size, 1)
  files.release(twice)
  assert.equal(open.size, 0)
})
