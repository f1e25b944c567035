import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NodeDisk } from '../../src/index.ts'

test('a directory is made with its parents, again for nothing, and not where a file stands', () => {
  const home = mkdtempSync(join(tmpdir(), 'skua-directory-'))
  try {
    const disk = new NodeDisk()
    disk.makeDirectory(join(home, 'a/b/c'))
    disk.makeDirectory(join(home, 'a/b/c'))
    assert.ok(statSync(join(home, 'a/b/c')).isDirectory())
    writeFileSync(join(home, 'file'), '')
    assert.throws(() => disk.makeDirectory(join(home, 'file')), { code: 'EEXIST' })
    assert.throws(() => disk.makeDirectory(join(home, 'file/below')), { code: 'ENOTDIR' })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})

// Node's own mkdir with parents goes round for ever there.
test('where no name can be made it says so', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => new NodeDisk().makeDirectory('/proc/nothing/below'), { code: 'ENOENT' })
})
