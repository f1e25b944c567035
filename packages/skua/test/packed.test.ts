import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Standalone, startStandalone } from 'skua'

const run = promisify(execFile)
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const packages = readdirSync(join(root, 'packages')).sort()
/** Of what is published; that for NestJS wants a Nest beside it. */
const houses = ['@skua-mq/client', '@skua-mq/admin', '@skua-mq/testing', '@skua-mq/dashboard', 'skua']
const describing = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))

/** Folders of what others wrote and our packages need at run time. */
function foreignFolders(): string[] {
  const found = new Set<string>()
  const visit = (folder: string) => {
    for (const name of Object.keys(describing(folder).dependencies ?? {})) {
      const path = `node_modules/${name}`
      if (packages.some(own => describing(`packages/${own}`).name === name) || found.has(path)) continue
      found.add(path)
      visit(path)
    }
  }
  for (const name of packages) visit(`packages/${name}`)
  return [...found]
}
const patienceMs = 60_000

/** The client's lines of the README, as a user copies them. */
function readmeLines(): string {
  const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```(?:ts|js)\n([\s\S]*?)```/g)]
  const lines = blocks.map(([, block]) => block ?? '').find(block => block.includes("from '@skua-mq/client'"))
  assert.ok(lines, 'the README shows the client')
  return lines
}

const asCommonJs = (lines: string): string => {
  const [first = '', ...rest] = lines.split('\n')
  const required = first.replace(/^import (.*) from (.*)$/, 'const $1 = require($2)')
  assert.notEqual(required, first, 'the first line is the import')
  return `${required}\nasync function main() {\n${rest.join('\n')}\n}\nmain()\n`
}

describe('from an empty folder, with the packed packages', { timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'skua-user-'))
  const packed = join(folder, 'packed')
  const user = join(folder, 'user')
  const alone = join(folder, 'alone')
  // Nothing may come from a registry or from what this machine downloaded before.
  const npm = (args: readonly string[], cwd: string) =>
    run('npm', [...args, '--ignore-scripts', '--offline', '--cache', join(folder, 'cache')], { cwd })
  const here = (name: string, text: string) => writeFileSync(join(user, name), text)
  let skua: Standalone

  before(async () => {
    for (const path of [packed, user, alone]) mkdirSync(path)
    await run(process.execPath, [join(root, 'tools', 'pack', 'pack.mjs'), packed])
    const foreign = foreignFolders().map(path => `./${path}`)
    await npm(['pack', '--silent', '--pack-destination', packed, ...foreign], root)
    const all = readdirSync(packed).map(name => join(packed, name))
    const tarballs = all.filter(path => !path.includes('nestjs'))
    assert.equal(tarballs.length, houses.length + foreign.length)
    assert.equal(all.length, tarballs.length + 1)
    await npm(['init', '-y'], user)
    await npm(['install', '--no-audit', '--no-fund', ...tarballs], user)
    skua = await startStandalone({ port: 0, store: 'memory' })
  })
  after(async () => {
    await skua?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs a file until it says `line`: the README's loop waits for messages for ever. */
  const says = async (line: string, args: readonly string[]) => {
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
    const child = spawn(process.execPath, args, { cwd: user, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const watchdog = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => {
        output += String(chunk)
        if (output.split('\n').includes(line)) child.kill('SIGKILL')
      })
    await new Promise(resolve => child.once('close', resolve))
    clearTimeout(watchdog)
    assert.deepEqual(output.trim().split('\n'), [line])
  }
  const readme = (topic: string) =>
    readmeLines()
      .replaceAll('127.0.0.1:9876', skua.namesrvAddr)
      .replaceAll(/Greetings|greeters|readers/g, name => `${topic}_${name}`)

  /** The user's own compiler and Node types; the packages bring neither. */
  const installTypes = () => {
    for (const name of ['@types/node', 'undici-types']) {
      mkdirSync(dirname(join(user, 'node_modules', name)), { recursive: true })
      cpSync(join(root, 'node_modules', name), join(user, 'node_modules', name), { recursive: true })
    }
    symlinkSync(join(root, 'node_modules', 'typescript'), join(user, 'node_modules', 'typescript'))
  }
  const compile = async (options: Readonly<Record<string, unknown>>, files: readonly string[]) => {
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: ['node'] }
    here('tsconfig.json', JSON.stringify({ compilerOptions: { ...strict, target: 'es2022', ...options }, files }))
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const done = await run(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: user }).catch(error => error)
    // Node's types of that version complain of themselves under TypeScript 7: theirs is not ours to mend.
    const complaints = `${done.stdout}${done.stderr}`.split(/\n(?=\S)/).filter(text => text.trim() !== '')
    assert.deepEqual(
      complaints.filter(text => !text.startsWith('node_modules/@types/node/')),
      [],
    )
  }

  test('the client is one package, and works where nothing else is installed', async () => {
    const client = join('node_modules', '@skua-mq', 'client')
    cpSync(join(user, client), join(alone, client), { recursive: true })
    const { dependencies } = JSON.parse(readFileSync(join(alone, client, 'package.json'), 'utf8'))
    assert.deepEqual(dependencies, {})
    writeFileSync(
      join(alone, 'alone.mjs'),
      "import { Producer } from '@skua-mq/client'\nconsole.log(typeof Producer)\n",
    )
    const { stdout } = await run(process.execPath, ['alone.mjs'], { cwd: alone })
    assert.equal(stdout, 'function\n')
  })

  test('the tarballs hold code, types, a README and the licence, and nothing else', async () => {
    for (const name of houses) {
      const installed = join(user, 'node_modules', name)
      const about = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
      const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
      const paths = files.map(entry => join(entry.parentPath, entry.name).slice(installed.length + 1))
      const wanted = /^(package\.json|README\.md|LICENSE|dist\/.*\.(js|d\.ts)|dist\/.*\/page\/[^/]+)$/
      assert.deepEqual(
        paths.filter(path => !wanted.test(path) || /\.test\./.test(path)),
        [],
        about.name,
      )
      const { types, default: code } = about.exports['.']
      for (const path of ['README.md', 'LICENSE', types.slice(2), code.slice(2)])
        assert.ok(paths.includes(path), `${about.name} has ${path}`)
      // TypeScript before 6 reads these with `module: commonjs`.
      assert.deepEqual([about.main, about.types], [code, types])
      const [inner] = about.typesVersions['*']['_/*']
      for (const [name, { types }] of Object.entries<{ types: string }>(about.exports))
        if (name !== '.') assert.equal(`./${inner.replace('*', name.slice('./_/'.length))}`, types)
      assert.equal(about.license, 'Apache-2.0')
      assert.equal(about.engines.node, '>=20.19')
    }
  })

  test('the README’s lines work as an ES module without TypeScript', async () => {
    here('readme.mjs', readme('Esm'))
    await says('hello', ['readme.mjs'])
  })

  test('the README’s lines work from CommonJS', async () => {
    here('readme.cjs', asCommonJs(readme('Cjs')))
    await says('hello', ['readme.cjs'])
  })

  test('with TypeScript: every declaration checks, in an ES module, in CommonJS and for a bundler', async () => {
    installTypes()
    here('typed.mts', readme('Typed'))
    here(
      'typed-common.cts',
      `import { Producer, PushConsumer } from '@skua-mq/client'\n${asCommonJs(readme('TypedCjs')).split('\n').slice(1).join('\n')}`,
    )
    here(
      'embedded.mts',
      "import { AdminError } from '@skua-mq/admin'\nimport { startBroker } from '@skua-mq/testing'\nimport { startStandalone } from 'skua'\nconst skua = await startStandalone({ port: 0, store: 'memory' })\nconst broker = await startBroker()\nconsole.log(typeof skua.namesrvAddr, typeof broker.namesrvAddr, typeof AdminError)\nawait broker.stop()\nawait skua.stop()\n",
    )
    const files = ['typed.mts', 'typed-common.cts', 'embedded.mts']
    await compile({ module: 'nodenext' }, files)
    await compile({ module: 'esnext', moduleResolution: 'bundler', noEmit: true }, ['typed.mts', 'embedded.mts'])
    await says('hello', ['typed.mjs'])
    await says('hello', ['typed-common.cjs'])
    await says('string string function', ['embedded.mjs'])
  })
})
