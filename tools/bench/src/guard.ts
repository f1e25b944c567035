import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpuOf, measure, median, type Row, say, warm } from './compare.ts'
import { startSkua } from './servers.ts'
import { situations } from './situations.ts'

/** More CPU per message than this, outside of the spread of the rounds, is a failure. */
const allowed = 1.1

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
  },
})

const git = (...args: string[]) =>
  execFileSync('git', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    .toString()
    .trim()

/** The commit to compare with: what is given, else the last tag, else the commit before this one. */
function referenceCommit(): string {
  const [given] = positionals
  if (given !== undefined) return git('rev-parse', '--short', given)
  const tag = git('tag', '--sort=-creatordate').split('\n')[0]
  return git('rev-parse', '--short', tag || 'HEAD~1')
}

const commit = referenceCommit()
const checkout = mkdtempSync(join(tmpdir(), 'skua-guard-'))
say(`building ${commit}`)
git('worktree', 'add', '--detach', '--force', checkout, commit)
try {
  for (const args of [
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    ['run', '-s', 'build'],
  ])
    execFileSync('npm', args, { cwd: checkout, stdio: ['ignore', 2, 2] })
  const slower = await compare()
  if (slower.length > 0) say(`more than +${Math.round((allowed - 1) * 100)} % CPU per message: ${slower.join('; ')}`)
  process.exitCode = slower.length > 0 ? 1 : 0
} finally {
  git('worktree', 'remove', '--force', checkout)
  rmSync(checkout, { recursive: true, force: true })
}
process.exit()

/** Names of the situations that have become slower. */
async function compare(): Promise<string[]> {
  const slower: string[] = []
  console.log(`| situation | now: CPU µs/message (rounds) | ${commit} | ratio |\n| --- | --- | --- | --- |`)
  for (const flush of ['ASYNC_FLUSH', 'SYNC_FLUSH'] as const) {
    const wanted = situations.filter(situation => situation.flush === flush && situation.name.includes(values.only))
    if (wanted.length === 0) continue
    const settings = { flushDiskType: flush, defaultTopicQueueNums: 8 }
    const contenders = [
      { ...(await startSkua(settings)), name: 'now' },
      { ...(await startSkua(settings, { checkout })), name: commit },
    ]
    for (const contender of contenders) await warm(contender)
    for (const situation of wanted) {
      const row = await measure(contenders, situation, {
        rounds: Number(values.rounds),
        seconds: Number(values.seconds),
      })
      console.log(lineOf(row))
      if (isSlower(row)) slower.push(situation.name)
    }
    for (const contender of contenders) await contender.stop()
  }
  return slower
}

function isSlower({ cells }: Row): boolean {
  const [now, before] = cells.map(cpuOf)
  // Within the spread of the rounds: a round of then cost as much as now usually costs.
  return median(now!) > median(before!) * allowed && median(now!) > Math.max(...before!)
}

function lineOf({ situation, cells }: Row): string {
  const [now, before] = cells.map(cpuOf)
  const text = (list: readonly number[]) =>
    `${median(list).toFixed(2)} (${Math.min(...list).toFixed(2)} to ${Math.max(...list).toFixed(2)})`
  return `| ${situation.name} | ${text(now!)} | ${text(before!)} | ${(median(now!) / median(before!)).toFixed(2)} |`
}
