import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, mock, test } from 'node:test'
import { type DiskError, NodeDisk } from '../../src/index.ts'
import { testDisk } from '../disk-contract.ts'

const top = fs.mkdtempSync(join(tmpdir(), 'skua-disk-'))
after(() => fs.rmSync(top, { recursive: true }))

const make = () => ({ disk: new NodeDisk(), root: fs.mkdtempSync(join(top, 'd-')) })

testDisk('NodeDisk', make)

test('a write that the system cuts short is finished by a second one, or fails with what that one says', async () => {
  const { disk, root } = make()
  const file = disk.open(`${root}/a`, 'create')
  const bytes = Buffer.from('0123456789')
  const full = Object.assign(new Error('full'), { code: 'ENOSPC' })
  for (const [second, code] of [
    [6, undefined],
    [3, 'ESHORTWRITE'],
    [full, 'ENOSPC'],
  ] as const) {
    const answers = [4, second, 4, second]
    const next = () => answers.shift()!
    mock.method(fs, 'writeSync', () => {
      const answer = next()
      if (answer instanceof Error) throw answer
      return answer
    })
    mock.method(fs, 'write', (...all: unknown[]) => {
      const answer = next()
      const done = all.at(-1) as (error: Error | null, count: number) => void
      if (answer instanceof Error) done(answer, 0)
      else done(null, answer)
    })
    try {
      const sync = () => file.writeSync(bytes, 0, 10, 0)
      if (code === undefined) {
        sync()
        await file.write(bytes, 0, 10, 0)
      } else {
        assert.throws(sync, { code })
        await assert.rejects(file.write(bytes, 0, 10, 0), { code })
      }
      assert.equal(answers.length, 0)
    } finally {
      mock.restoreAll()
    }
  }
  file.closeSync()
})

test('a full device is an ENOSPC that may be retried', { skip: !fs.existsSync('/dev/full') }, () => {
  const file = new NodeDisk().open('/dev/full', 'write')
  assert.throws(
    () => file.writeSync(Buffer.from('x'), 0, 1, 0),
    (error: DiskError) => error.code === 'ENOSPC' && error.path === '/dev/full' && error.retriable,
  )
  file.closeSync()
})

test('a file closed during a sync stays open until the sync is back, and no later call reaches it', async () => {
  const { disk, root } = make()
  const file = disk.open(`${root}/a`, 'create')
  const writing = file.write(Buffer.alloc(1_000_000, 1), 0, 1_000_000, 0)
  const syncing = file.syncData()
  file.closeSync()
  await Promise.all([writing, syncing])
  assert.equal(disk.stat(`${root}/a`)?.size, 1_000_000)
  await assert.rejects(file.syncData(), { code: 'EBADF' })
  assert.throws(() => file.writeSync(Buffer.from('x'), 0, 1, 0), { code: 'EBADF' })
})
