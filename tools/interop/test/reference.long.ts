import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { referenceVersions } from '../src/reference/jars.ts'
import { skipWithout } from '../src/toolchain.ts'

const prove = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'reference', 'prove.ts')

for (const version of referenceVersions) {
  test(`what the basic interop tests promise is true of RocketMQ ${version}`, {
    skip: skipWithout('java'),
  }, async () => {
    // A test run inside of a test run would report to the outer one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(process.execPath, ['--conditions=skua-source', '--import', 'tsx', prove, version], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
    const status = await new Promise(resolve => child.once('close', resolve))
    assert.equal(status, 0, output.slice(-4000))
  })
}
