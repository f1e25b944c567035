// npm run test:mutants [-- --only TEXT]: breaks one file at a time in a copy of the repository, runs the tests of its package
// there, and names the breakages that nobody noticed. Exit code 1 when there is one that is not explained, or when tests fail
// without any breakage: they would be taken for tests that notice it.
import { spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { mutants } from './mutants.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })
/** A test that hangs ends before, by itself. */
const testsMs = 600_000

/** Sources and tests, and links to what is installed; packages lead to those of the copy. */
function copy() {
  const to = mkdtempSync(join(tmpdir(), 'skua-mutants-'))
  // All of it: tests read docs and samples, too.
  for (const name of readdirSync(root).filter(name => !['.git', 'node_modules'].includes(name)))
    cpSync(join(root, name), join(to, name), { recursive: true, filter: path => !/\/(dist|node_modules)$/.test(path) })
  const modules = join(to, 'node_modules')
  mkdirSync(join(modules, '@skua-mq'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name === '@skua-mq' || name === 'skua' || name.startsWith('.')) continue
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  for (const name of readdirSync(join(root, 'node_modules', '@skua-mq')))
    symlinkSync(join(to, 'packages', name), join(modules, '@skua-mq', name))
  symlinkSync(join(to, 'packages', 'skua'), join(modules, 'skua'))
  return to
}

function testsUnder(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join(directory, name))
}

/** Test files that a mutant names, or all of its package; those of its own folder come first, since they mostly notice it. */
function testsOf(at, { file, tests = [join(file.split('/').slice(0, 2).join('/'), 'test')] }) {
  const all = tests.flatMap(name =>
    statSync(join(at, name)).isDirectory() ? testsUnder(join(at, name)) : [join(at, name)],
  )
  const folder = `/test/${dirname(file).split('/').slice(3).join('/')}`
  const isNear = path => dirname(path).endsWith(folder)
  return [all.filter(isNear), all.filter(path => !isNear(path))].filter(files => files.length > 0)
}

/** The first test that fails decides, so that most mutants take seconds. Ends with this process, and with all that it started. */
function isGreen(at, files) {
  const concurrency = process.env.SKUA_TEST_CONCURRENCY ?? '2'
  const node = ['--conditions=skua-source', '--import', 'tsx', '--test', '--test-reporter=tap', '--test-timeout=120000']
  return new Promise((resolve, reject) => {
    const args = [...node, `--test-concurrency=${concurrency}`, ...files]
    const child = spawn(process.execPath, args, { cwd: at, stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    let hasFailed = false
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if (error.code !== 'ESRCH') throw error
      }
    }
    createInterface(child.stdout).on('line', line => {
      if (hasFailed || !/^ *not ok /.test(line)) return
      hasFailed = true
      end()
    })
    const timer = setTimeout(end, testsMs)
    process.once('exit', end)
    child.once('error', reject)
    child.once('close', code => {
      clearTimeout(timer)
      process.removeListener('exit', end)
      resolve(code === 0 && !hasFailed)
    })
  })
}

const greenSets = new Map()

/** Whether these tests pass where nothing is broken. */
async function isGreenUnbroken(at, files) {
  const key = files.join('\n')
  if (!greenSets.has(key)) greenSets.set(key, await isGreen(at, files))
  return greenSets.get(key)
}

/** What became of a mutant: 'killed', 'survived', 'stale' where its text is not there once, 'red' where tests fail without it. */
async function run(at, mutant) {
  const { file, from, to } = mutant
  const path = join(at, file)
  const source = readFileSync(path, 'utf8')
  if (source.split(from).length !== 2) return 'stale'
  for (const files of testsOf(at, mutant)) {
    writeFileSync(
      path,
      source.replace(from, () => to),
    )
    let hasNoticed
    try {
      hasNoticed = !(await isGreen(at, files))
    } finally {
      writeFileSync(path, source)
    }
    if (hasNoticed) return (await isGreenUnbroken(at, files)) ? 'killed' : 'red'
  }
  return 'survived'
}

const at = copy()
process.once('exit', () => rmSync(at, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
const counts = { killed: 0, explained: 0, survived: 0, stale: 0, red: 0 }
for (const mutant of mutants.filter(({ name, file }) => `${name} ${file}`.includes(values.only))) {
  const found = await run(at, mutant)
  const outcome = found === 'survived' && mutant.equal !== undefined ? 'explained' : found
  counts[outcome]++
  if (outcome !== 'killed')
    console.log(`${outcome}: ${mutant.name} (${mutant.file})${mutant.equal ? `: ${mutant.equal}` : ''}`)
}
console.log(`# pass ${counts.killed}`)
console.log(
  `${counts.killed} killed, ${counts.explained} explained, ${counts.survived} survived, ${counts.stale} stale, ${counts.red} red without a breakage`,
)
process.exitCode = counts.survived + counts.stale + counts.red > 0 ? 1 : 0
