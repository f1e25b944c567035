import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..', '..')
const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env

/** The short tests run on Nest 11, whose packages want no newer Node than ours do. */
test('the transport works with Nest 12', { timeout: 300_000 }, async () => {
  const homes = join(root, 'node_modules', '.nest-12')
  mkdirSync(homes, { recursive: true })
  // What is not installed there is found in the folder above.
  const folder = mkdtempSync(join(homes, 'run-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
    const nest = ['common', 'core', 'microservices'].map(name => `@nestjs/${name}@12.1.1`)
    const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
    await promisify(execFile)('npm', [...install, ...nest, 'rxjs@7', 'reflect-metadata@0.2'], { cwd: folder, env })
    const installed = JSON.parse(readFileSync(join(folder, 'node_modules/@nestjs/common/package.json'), 'utf8'))
    assert.match(installed.version, /^12\./)
    const outfile = join(folder, 'transport.test.js')
    await build({
      ...{ entryPoints: [join(here, 'transport.test.ts')], outfile, bundle: true, platform: 'node', format: 'esm' },
      ...{ conditions: ['skua-source'], plugins: [ofOthers], logLevel: 'error' },
    })
    const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', outfile], {
      cwd: folder,
      env,
    })
    assert.match(stdout, /^# pass [1-9]/m)
    assert.match(stdout, /^# fail 0$/m)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** What is not ours stays outside. */
const ofOthers: import('esbuild').Plugin = {
  name: 'packages of others',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || /^(@skua-mq\/|skua$)/.test(path) ? undefined : { path, external: true },
    ),
}
