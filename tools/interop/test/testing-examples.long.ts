import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { skipWithout } from '../src/toolchain.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'skua-examples-'))
const examples = join(folder, 'testing')
const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
const skua = `${process.execPath} ${join(root, 'packages', 'skua', 'dist', 'bundle', 'main.js')}`
const timeout = 600_000

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...args], {
      cwd,
      timeout,
      env: { ...env, SKUA: skua },
    })
    return stdout + stderr
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    return assert.fail(`${command} ${args.join(' ')}: ${stdout}${stderr}`)
  }
}

before(() => cpSync(join(root, 'examples', 'testing'), examples, { recursive: true }))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Our own packages that these need, which are in no registry, and what others wrote that stands in no lock of the example. */
const ours = ['protocol', 'runtime', 'remoting', 'store', 'nameserver', 'client', 'broker', 'admin', 'testing']

describe('examples of tests in Node, with the packed packages', { timeout }, () => {
  const node = join(examples, 'node')
  before(async () => {
    const packed = join(folder, 'packed')
    mkdirSync(packed)
    const folders = ours.map(name => `./packages/${name}`)
    await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed, ...folders], root)
    const tarballs = readdirSync(packed).map(name => join(packed, name))
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs], node)
  })
  for (const [script, passed] of [
    ['test:node', /^# pass 4$|pass 4/m],
    ['test:vitest', /4 passed/],
    ['test:jest', /4 passed/],
  ] as const)
    test(`npm run ${script}`, async () => assert.match(await run('npm', ['run', script], node), passed))
})

describe('examples in other languages, before the built command', { timeout }, () => {
  test('go test', { skip: skipWithout('go') }, async () => {
    assert.match(await run('go', ['test', './...'], join(examples, 'go')), /^ok\s/m)
  })

  test('mvn test', { skip: skipWithout('java') }, async () => {
    await run('mvn', ['-q', '-B', 'test'], join(examples, 'junit'))
    const [report] = readdirSync(join(examples, 'junit', 'target', 'surefire-reports')).filter(name =>
      name.endsWith('.txt'),
    )
    const text = readFileSync(join(examples, 'junit', 'target', 'surefire-reports', report!), 'utf8')
    assert.match(text, /Tests run: 3, Failures: 0, Errors: 0, Skipped: 0/)
  })
})
