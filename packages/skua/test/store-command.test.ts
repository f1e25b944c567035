import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
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
