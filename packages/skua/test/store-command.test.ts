import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { PullConsumer } from '@skua-mq/client'
import { barText } from '../src/command/progress-bar.ts'
import { startStandalone } from '../src/index.ts'
import { repository, ServerProcess } from './server-process.ts'

const home = mkdtempSync(join(tmpdir(), 'skua-store-command-'))
after(() => rmSync(home, { recursive: true, force: true }))
const fixture = join(repository, 'packages/store/test/fixtures/store-4.9.7-clean.tar.gz')
execFileSync('tar', ['xzf', fixture, '-C', home])
const store = join(home, 'store-4.9.7-clean')

async function skua(...args: string[]) {
  // From source, so that the test does not depend on the age of the bundle.
  const source = ['--conditions=skua-source', '--import', 'tsx', join(repository, 'packages/skua/src/main.ts')]
  const run = new ServerProcess(process.execPath, [...source, 'store', ...args], { cwd: repository })
  return { code: await run.exit(), output: run.output, errors: run.errors }
}

describe('skua store', () => {
  test('cat --json prints one object a line, and no more than --count', async () => {
    const { code, output } = await skua('cat', store, '--json', '--topic', 'FxNormal', '--count', '2')
    assert.equal(code, 0)
    const lines = output.trim().split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line).topic),
      ['FxNormal', 'FxNormal'],
    )
  })

  test('a directory without a store is one line on standard error and exit code 1', async () => {
    const { code, errors } = await skua('ls', join(home, 'missing'))
    assert.equal(code, 1)
    assert.match(errors, /^skua: .*missing: holds no commitlog\n$/)
  })

  test('repair says what it would do, does it, and leaves a store in which verify finds nothing', async () => {
    const lacking = await skua('verify', store)
    assert.equal(lacking.code, 1)
    assert.match(lacking.output, /^index the message at \d+ is not found by FxNormal#/m)
    const dry = await skua('repair', store, '--dry-run')
    assert.match(dry.output, /^80 messages, the log ends at 20443\nqueues and index would be rebuilt/)
    assert.equal((await skua('verify', store)).code, 1)
    const { code, output } = await skua('repair', store)
    assert.equal(code, 0)
    const kept = /is kept in (.*)\n/.exec(output)?.[1]
    assert.deepEqual(readdirSync(kept!).sort(), ['checkpoint', 'consumequeue', 'index'])
    assert.deepEqual(await skua('verify', store), { code: 0, output: '', errors: '' })
  })

  test('export writes a new file, import makes a store of it that a broker serves', async t => {
    const file = join(home, 'all.jsonl')
    const other = join(home, 'imported')
    assert.equal((await skua('export', store, '--jsonl', '--out', file)).code, 0)
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    assert.equal(lines.length, 80)
    const over = await skua('export', store, '--out', file)
    assert.equal(over.code, 1)
    assert.match(over.errors, /EEXIST/)
    const { code, output } = await skua('import', other, file)
    assert.equal(code, 0)
    assert.match(output, /^70 messages in 8 topics\n10 of transactions left out/)
    assert.equal((await skua('verify', other)).code, 0)
    const broker = await startStandalone({ port: 0, store: other })
    const consumer = new PullConsumer({ namesrvAddr: broker.namesrvAddr, group: 'g' })
    t.after(async () => {
      await consumer.close()
      await broker.stop()
    })
    await consumer.start()
    const queues = await consumer.fetchSubscribeMessageQueues('FxNormal')
    let count = 0
    for (const queue of queues) count += (await consumer.pull(queue, 0)).messages.length
    assert.equal(count, lines.filter(line => JSON.parse(line).topic === 'FxNormal').length)
    writeFileSync(file, 'no json\n')
    const wrong = await skua('import', join(home, 'wrong'), file)
    assert.equal(wrong.code, 1)
    assert.match(wrong.errors, /^skua: line 1: /)
  })

  test('a store that is open is neither repaired nor filled', async () => {
    const at = join(home, 'open')
    const broker = ServerProcess.skua(['--store', at, '--port', '0'])
    await broker.says(/Ctrl-C/)
    for (const command of [
      ['repair', at],
      ['import', at, join(home, 'all.jsonl')],
    ]) {
      const { code, errors } = await skua(...command)
      assert.equal(code, 1)
      assert.match(errors, /^skua: the store .* is open in another process \(pid \d+\)\n$/)
    }
    await broker.signal('SIGTERM')
  })

  test('verify ends with 0 on a sound store, and with 1 and a line on a damaged one', async () => {
    assert.deepEqual(await skua('verify', store), { code: 0, output: '', errors: '' })
    const log = join(store, 'commitlog', readdirSync(join(store, 'commitlog'))[0]!)
    const bytes = readFileSync(log)
    bytes[bytes.indexOf('Fx body')]! ^= 1
    writeFileSync(log, bytes)
    const { code, output } = await skua('verify', store)
    assert.equal(code, 1)
    assert.match(output, /^commitlog \d+: the body does not match its CRC\n$/)
  })
})

test('a progress bar says what, how far and of how much', () => {
  assert.equal(
    barText('verify', 512 * 1024 ** 2, 2048 * 1024 ** 2),
    `verify [${'#'.repeat(8)}${' '.repeat(22)}] 25 % of 2,048 MiB`,
  )
  assert.match(barText('verify', 5, 0), /100 % of 0 MiB/)
})
