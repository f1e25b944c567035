// npm test [path…]: every *.test.ts under the given paths (default: all), from source, three files at a time: two for the cores, and one
// of those that mostly wait for clients of other languages.
// Installs what is missing first, so that a fresh clone needs this one command.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { testFiles } from './files.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
process.chdir(root)
const run = (command, args) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
if (!existsSync('node_modules/tsx')) run('npm', ['ci', '--ignore-scripts'])

const asked = process.argv.slice(2)
const roots = asked.length > 0 ? asked : ['packages', 'tools', 'examples']
const files = spread(roots.filter(path => existsSync(path)).flatMap(path => testFiles(path)))
if (files.length === 0) {
  console.error(`no test files under ${roots.join(', ')}`)
  process.exit(1)
}
// What starts built programs (bin/*, npm start) tests what users run.
if (asked.length === 0 || asked.some(path => path.includes('skua'))) run('npm', ['run', '-s', 'build'])
const { bundleTests } = await import('./bundle.mjs')
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-timeout=240000',
    '--import',
    './tools/test/end-file.mjs',
    `--test-concurrency=${process.env.SKUA_TEST_CONCURRENCY ?? 3}`,
    '--test-reporter=./tools/test/dots.mjs',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    '--test-reporter-destination=node_modules/.last-test.tap',
    ...(await bundleTests(files)),
  ],
  { stdio: 'inherit' },
)

process.exit(status ?? 1)

/** Those that wait stand among the others, the longest first, and not behind each other at the end. */
function spread(all) {
  const waiting = all
    .filter(path => path.includes('tools/interop/'))
    .sort((a, b) => statSync(b).size - statSync(a).size)
  const others = all.filter(path => !waiting.includes(path))
  const step = Math.max(1, Math.floor((others.length * 0.6) / (waiting.length + 1)))
  return others
    .flatMap((path, i) => (i % step === 0 && waiting.length > 0 ? [waiting.shift(), path] : [path]))
    .concat(waiting)
}
