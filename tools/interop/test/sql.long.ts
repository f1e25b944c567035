// Our SQL92 filter beside RocketMQ's own evaluator (rocketmq-filter), on generated expressions and properties.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { generateSqlCases, type SqlCase, sqlCaseLine } from '../../../packages/protocol/test/filter/generate.ts'
import { ourAnswer } from '../../../packages/protocol/test/filter/record.ts'
import { cached, command, skipWithout } from '../src/toolchain.ts'

const count = Number(process.env['SKUA_SQL_CASES'] ?? 100_000)
const seed = Number(process.env['SKUA_SEED'] ?? 1)
const home = join(dirname(fileURLToPath(import.meta.url)), '..', 'java-sql')
const source = join(home, 'src', 'main', 'java', 'skua', 'SqlTable.java')

/** Java's answers, a line for each case. */
async function answersOf(version: string, lines: readonly string[]): Promise<string[]> {
  const lib = await cached(`java-sql-${version}/lib`, async dir => {
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${dir}`, '-DincludeScope=runtime']
    await command('mvn', ['-q', '-B', '-U', '-f', join(home, 'pom.xml'), `-Drocketmq.version=${version}`, ...copy])
  })
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)
  const classes = await cached(`java-sql-${version}/classes-${digest}`, async dir => {
    await command('javac', ['-nowarn', '-encoding', 'UTF-8', '-d', dir, '-cp', `${lib}/*`, source])
  })
  const java = spawn('java', ['-cp', `${classes}:${lib}/*`, 'skua.SqlTable'], { stdio: ['pipe', 'pipe', 'ignore'] })
  let said = ''
  java.stdout.on('data', chunk => {
    said += String(chunk)
  })
  const ended = new Promise<number>(resolve => java.once('close', code => resolve(code ?? -1)))
  java.stdin.end(`${lines.join('\n')}\n`)
  assert.equal(await ended, 0)
  return said.trimEnd().split('\n')
}

test(`${count} generated expressions have the answers of RocketMQ 5.3.3 and 4.9.7`, {
  skip: skipWithout('java'),
}, async t => {
  const cases: SqlCase[] = [...generateSqlCases({ count, seed })]
  const lines = cases.map(sqlCaseLine)
  const [java5, java4] = [await answersOf('5.3.3', lines), await answersOf('4.9.7', lines)]
  assert.deepEqual([java5.length, java4.length], [lines.length, lines.length])
  const wrong: unknown[] = []
  const tally = new Map<string, number>()
  for (const [at, one] of cases.entries()) {
    const ours = ourAnswer(one)
    tally.set(ours, (tally.get(ours) ?? 0) + 1)
    // Java ignores what stands behind the end of an expression (docs/differences.md).
    if (ours === 'trailing') continue
    // Names that 5.x made operators are taken where no operator can stand, as in 4.9.
    const expected = java5[at] === 'refused' && ours !== 'refused' ? java4[at] : java5[at]
    if (ours !== expected) wrong.push({ ...one, ours, java5: java5[at], java4: java4[at] })
  }
  t.diagnostic(`seed ${seed}: ${[...tally].map(([answer, of]) => `${of} ${answer}`).join(', ')}`)
  assert.deepEqual(wrong.slice(0, 20), [])
  for (const answer of ['true', 'false', 'null', 'failed', 'refused'])
    assert.ok((tally.get(answer) ?? 0) > count / 100, `${tally.get(answer)} ${answer}`)
})
