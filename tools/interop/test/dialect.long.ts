import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const dir = dirname(fileURLToPath(import.meta.url))

/** All suites in which clients of others, and ours, talk to a broker of ours. */
const suites = [
  ...['java-basics', 'java-delivery', 'java-filter-server', 'java-groups', 'java-limits', 'java-order'],
  ...['java-pop', 'java-queries', 'java-timers', 'java-tls', 'other-clients', 'go-delivery', 'mixed-group'],
  ...['acl', 'benchmark', 'grpc-acl', 'grpc-fields', 'grpc-java', 'grpc-node', 'grpc-python'],
]

// The default one is what `npm test` runs them with.
for (const suite of suites)
  test(`what ${suite} promises is true of a broker of dialect 5.3`, async () => {
    // A test run inside of a test run would report to the outer one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const args = ['--conditions=skua-source', '--import', 'tsx', '--test', '--test-reporter=spec']
    const child = spawn(process.execPath, [...args, join(dir, `${suite}.test.ts`)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, SKUA_DIALECT: '5.3' },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
    const status = await new Promise(resolve => child.once('close', resolve))
    assert.equal(status, 0, output.slice(-8000))
  })
