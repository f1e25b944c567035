import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'testing', 'node')

/** The others need packages of their own, and run in the long run (tools/interop/test/testing-examples.long.ts). */
test('the example of node:test passes with the built packages', async () => {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  const args = ['--test', '--test-reporter=tap', join('node-test', 'orders.test.mjs')]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env, timeout: 60_000 })
  assert.match(stdout, /^# pass 4$/m)
  assert.match(stdout, /^# fail 0$/m)
})
