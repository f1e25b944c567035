/**
 * Makes sql-cases.jsonl out of Java's answers, or compares us with them:
 *   record.ts <count> <seed> <answers of 5.x> <answers of 4.9> [file to write]
 * The answers are what SqlTable prints for the lines of `generate.ts <count> <seed>`. Without a file every disagreement is printed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compileSql, SqlSyntaxError } from '../../src/filter/index.ts'
import { chosenSqlCases } from './chosen-cases.ts'
import { generateSqlCases, type SqlCase } from './generate.ts'

/** Java's word for a case; and ours, which has one more: an expression that goes on after its end. */
export type SqlAnswer = 'true' | 'false' | 'null' | 'failed' | 'refused' | 'trailing'

/** A line of the table: 4.9's answer is there only where it differs from 5.x's. */
export type SqlRow = [sql: string, properties: Record<string, string>, java5: SqlAnswer, java4?: SqlAnswer]

/** Our answer. What stands behind the end of an expression, which Java ignores, is told from other refusals. */
export function ourAnswer({ sql, properties }: SqlCase): SqlAnswer {
  try {
    const lookup = (name: string) => (Object.hasOwn(properties, name) ? properties[name] : undefined)
    return String(compileSql(sql).judge(lookup)) as SqlAnswer
  } catch (error) {
    if (!(error instanceof SqlSyntaxError)) throw error
    return error.message.startsWith('the expression ends before this') ? 'trailing' : 'refused'
  }
}

/** How many random cases of each answer the table takes, besides the chosen ones. */
const quota: Record<SqlAnswer, number> = { true: 550, false: 450, null: 370, failed: 280, refused: 280, trailing: 40 }
const longest = 140

function main([count = '0', seed = '1', answers5 = '', answers4 = '', table]: string[]): void {
  const java5 = readFileSync(answers5, 'utf8').split('\n') as SqlAnswer[]
  const java4 = readFileSync(answers4, 'utf8').split('\n') as SqlAnswer[]
  const left = { ...quota }
  const lines: string[] = []
  const tally: Record<string, number> = {}
  let at = 0
  for (const one of generateSqlCases({ count: Number(count), seed: Number(seed) })) {
    const five = java5[at] as SqlAnswer
    const four = java4[at++] as SqlAnswer
    const ours = ourAnswer(one)
    const verdict = ours === 'trailing' ? 'trailing' : ours === five ? 'equal' : 'different'
    tally[verdict] = (tally[verdict] ?? 0) + 1
    if (verdict === 'different') console.log(JSON.stringify({ ...one, ours, five, four }))
    const kind = ours === 'trailing' ? ours : five
    const chosen = at <= chosenSqlCases.length
    if (!chosen && (one.sql.length > longest || left[kind]-- <= 0)) continue
    lines.push(JSON.stringify(four === five ? [one.sql, one.properties, five] : [one.sql, one.properties, five, four]))
  }
  if (table !== undefined) writeFileSync(table, `${lines.join('\n')}\n`)
  console.log(tally, `${lines.length} rows`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2))
