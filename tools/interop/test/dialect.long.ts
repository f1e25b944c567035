import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { defaultDialect, dialectNames } from '@skua-mq/protocol'

const dir = dirname(fileURLToPath(import.meta.url))

/** All suites in which clients, tools and brokers of others, and clients of ours, meet a broker or a store of ours. */
const suites = [
  ...['java-basics', 'java-delivery', 'java-filter-server', 'java-groups', 'java-limits', 'java-order'],
  ...['java-pop', 'java-queries', 'java-timers', 'java-tls', 'other-clients', 'go-delivery', 'mixed-group'],
  ...['acl', 'benchmark', 'grpc-acl', 'grpc-fields', 'grpc-java', 'grpc-node', 'grpc-python', 'mqadmin-recorded'],
].map(name => `${name}.test`)
const long = ['grpc-rust', 'mqadmin-tools', 'replication', 'store-reverse'].map(name => `${name}.long`)

/** The default one is what `npm test`, and the rest of the long run, do them with. */
const other = dialectNames.find(name => name !== defaultDialect)!

for (const suite of [...suites, ...long])
  test(`what ${suite} promises is true of a broker of dialect ${other}`, async () => {
    // A test run inside of a test run would report to the outer one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const args = ['--conditions=skua-source', '--import', 'tsx', '--test', '--test-reporter=spec']
    const child = spawn(process.execPath, [...args, join(dir, `${suite}.ts`)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, SKUA_DIALECT: other },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
    const status = await new Promise(resolve => child.once('close', resolve))
    assert.equal(status, 0, output.slice(-8000))
  })
