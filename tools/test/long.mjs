// npm run test:long [-- --budget 2h] [--seed N] [--only TEXT]: the counts that take hours, with seeds and figures, and a
// line for each run in docs/verification.md. --only runs the suites whose names contain TEXT. SKUA_NODES=path,path adds
// the short suites on further versions of Node. What the budget cuts off is said, and is not a success.
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { longSuites } from './long-suites.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
process.chdir(root)
const page = join('docs', 'verification.md')
const units = { s: 1000, m: 60_000, h: 3_600_000 }
const largestSeed = 2 ** 31 - 1

const { values } = parseArgs({
  options: { budget: { type: 'string', default: '2h' }, seed: { type: 'string' }, only: { type: 'string' } },
})
const budget = /^(\d+)([smh])$/.exec(values.budget)
const firstSeed = Number(values.seed ?? 1 + Math.floor(Math.random() * largestSeed))
if (budget === null || !Number.isSafeInteger(firstSeed) || firstSeed < 1 || firstSeed > largestSeed) {
  console.error(`npm run test:long -- [--budget 90s|30m|2h] [--seed 1..${largestSeed}] [--only TEXT]`)
  process.exit(1)
}
const end = Date.now() + Number(budget[1]) * units[budget[2]]

/** Runs one round; its test counts come from the summary of the reporter. */
function runOnce(suite, seed) {
  return new Promise(resolve => {
    const child = spawn(suite.command, suite.arguments, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it started ends with it.
      detached: true,
      env: { ...process.env, ...suite.env(seed) },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output = (output + text).slice(-200_000)
      })
    }
    let cut = false
    const killGroup = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if (error.code !== 'ESRCH') throw error
      }
    }
    const timer = setTimeout(
      () => {
        cut = true
        killGroup()
      },
      Math.max(0, end - Date.now()),
    )
    process.once('exit', killGroup)
    child.once('close', code => {
      clearTimeout(timer)
      process.removeListener('exit', killGroup)
      const count = what => Number(new RegExp(`^(?:#|ℹ) ${what} (\\d+)$`, 'm').exec(output)?.[1] ?? 0)
      resolve({ ok: code === 0, cut, output, pass: count('pass'), skipped: count('skipped') })
    })
    child.once('error', error => resolve({ ok: false, cut: false, output: String(error), pass: 0, skipped: 0 }))
  })
}

/** Runs a suite's rounds until one fails or the budget is over. */
async function runSuite(suite, seed) {
  const begun = Date.now()
  const total = { name: suite.name, rounds: 0, pass: 0, skipped: 0, outcome: 'passed' }
  for (let round = 0; round < suite.rounds; round++) {
    if (Date.now() >= end) {
      total.outcome = 'cut'
      break
    }
    // Far enough apart that the seeds of a batch do not meet those of the next.
    const roundSeed = ((seed - 1 + round * 1000) % largestSeed) + 1
    const result = await runOnce(suite, roundSeed)
    if (!result.ok) {
      total.outcome = result.cut ? 'cut' : `failed with seed ${roundSeed}`
      if (!result.cut) console.log(`${suite.name}:\n${result.output.slice(-20_000)}`)
      break
    }
    total.rounds++
    total.pass += result.pass
    total.skipped += result.skipped
  }
  const counts = Object.entries(suite.counts).map(([what, each]) => `${each * total.rounds} ${what}`)
  const skipped = total.skipped === 0 ? [] : [`${total.skipped} skipped`]
  const figures = [...counts, `${total.pass} tests`, ...skipped].join(', ')
  console.log(`${total.outcome}: ${suite.name}: ${figures}, ${Math.round((Date.now() - begun) / 1000)} s`)
  return { ...total, text: `${suite.name} ${total.outcome} (${figures})` }
}

const git = (...args) => spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? ''

function writeLine(results) {
  if (!existsSync(page)) {
    writeFileSync(
      page,
      '# What was verified\n\nOne line for each `npm run test:long`, appended by it. `cut`: the budget ended first; the figures count whole rounds.\n`+` behind a commit: with changes that were not committed.\n\n| when (UTC) | commit | Node | seed | budget | suites |\n| --- | --- | --- | --- | --- | --- |\n',
    )
  }
  const commit = `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no', '--', '.', `:!${page}`) === '' ? '' : '+'}`
  const when = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const suites = results.map(result => result.text).join('; ')
  appendFileSync(page, `| ${when} | ${commit} | ${process.version} | ${firstSeed} | ${values.budget} | ${suites} |\n`)
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
const suites = longSuites().filter(suite => suite.name.includes(values.only ?? ''))
if (suites.length === 0) {
  console.error(`no suite has ${values.only} in its name`)
  process.exit(1)
}
console.log(`seed ${firstSeed}, budget ${values.budget}, ${suites.length} suites on Node ${process.version}`)
// Kills are of the built command.
const built = spawnSync('npm', ['run', '-s', 'build'], { stdio: 'inherit' })
if (built.status !== 0) process.exit(built.status ?? 1)
const results = []
for (const suite of suites) results.push(await runSuite(suite, firstSeed))
writeLine(results)
process.exitCode = results.every(result => result.outcome === 'passed') ? 0 : 1
