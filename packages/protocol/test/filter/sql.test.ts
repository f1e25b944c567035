import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import fc from 'fast-check'
import { compileSql, maxSqlDepth, maxSqlLength, SqlSyntaxError } from '../../src/filter/index.ts'
import { generateSqlCases } from './generate.ts'
import { ourAnswer, type SqlRow } from './record.ts'

const lookupIn = (properties: Record<string, string>) => (name: string) => properties[name]
const ask = (sql: string, properties: Record<string, string> = {}) => compileSql(sql).evaluate(lookupIn(properties))

function refusal(sql: string): SqlSyntaxError {
  try {
    compileSql(sql)
  } catch (error) {
    if (error instanceof SqlSyntaxError) return error
    throw error
  }
  throw new assert.AssertionError({ message: `${sql} is not refused` })
}

const rows = readFileSync(new URL('../fixtures/sql-cases.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line) as SqlRow)

/** 4.9 takes these for names, so that it goes another way wherever they are operators. */
const newWords = /contains|startswith|endswith/i

test("every recorded case has Java's answer, but for text behind the end, which Java ignores", () => {
  assert.ok(rows.length > 2000)
  const trailing = rows.filter(([sql, properties, java5, java4]) => {
    const ours = ourAnswer({ sql, properties })
    if (ours === 'trailing') return true
    const expected = java5 === 'refused' && ours !== 'refused' ? java4 : java5
    assert.equal(ours, expected, JSON.stringify([sql, properties]))
    return false
  })
  assert.ok(trailing.length > 20 && trailing.length < 60)
})

test('4.9 and 5.x differ only where the new operators are', () => {
  const different = rows.filter(([, , , java4]) => java4 !== undefined)
  assert.ok(different.length > 100)
  for (const [sql] of different) assert.match(sql, newWords)
})

test('the new operators are names where no operator can stand, as in 4.9', () => {
  assert.equal(ask("contains = 'x'", { contains: 'x' }), true)
  assert.equal(ask("startsWith CONTAINS 'y' AND ENDSWITH > 3", { startsWith: 'xyz', ENDSWITH: '4' }), true)
})

test('an expression is refused with the place and what to write instead', () => {
  const table: [sql: string, position: number, said: RegExp][] = [
    ['', 0, /found the end/],
    ['a ==  1', 3, /write = once/],
    ['a != 1', 2, /write <>/],
    ['a = "x"', 4, /single quotes/],
    ["a = 'x", 4, /close it with '/],
    ['a = 1 /* c', 6, /close it with \*\//],
    ['a = 1 && b = 2', 6, /write AND/],
    ['TagA || TagB', 5, /TAG expression/],
    ["a LIKE 'x%'", 2, /CONTAINS, STARTSWITH or ENDSWITH/],
    ['a IN (1, 2)', 6, /single quotes, like 'a', numbers too/],
    ["a IN ('x' 'y')", 10, /separate/],
    ["a IN 'x'", 5, /write IN \(/],
    ["5 IN ('x')", 0, /only a property/],
    ['a = NULL', 4, /IS NULL/],
    ['a IS 5', 5, /only IS NULL and IS NOT NULL/],
    ["a > 'x'", 4, /without quotes/],
    ['1 < a < 5', 0, /AND/],
    ['a > TRUE', 4, /no order/],
    ['a BETWEEN 5 AND 1', 10, /smaller number first/],
    ['a BETWEEN 5', 11, /write BETWEEN 1 AND 5/],
    ['a BETWEEN NULL AND 5', 10, /NULL/],
    ['TRUE = 5', 7, /cannot be compared/],
    ['5', 0, /compare it/],
    ['a = 1 AND 5', 10, /compare it/],
    ['(a = 1', 6, /it opens at 0/],
    ['a = 007', 5, /leading zeros/],
    ['a = 0.0', 4, /write 0/],
    ['a = 1e400', 4, /too large/],
    ['a = 9223372036854775808', 4, /above 2\^63/],
    ['a-b = 1', 1, /no - in names/],
    ['a = 1 + 2', 6, /no arithmetic/],
    ['a.b = 1', 1, /letters, digits/],
    ['a = 1 b', 6, /ends before this; found b/],
    ['a NOT b', 6, /NOT is not followed/],
  ]
  for (const [sql, position, said] of table) {
    const error = refusal(sql)
    assert.equal(error.position, position, `${sql}: ${error.message}`)
    assert.match(error.message, said, sql)
    assert.ok(error.hint === '' || error.message.endsWith(error.hint))
  }
})

test('a comparison that cannot be made leaves the whole expression unknown, unless it is decided before', () => {
  assert.equal(ask('a > 5', { a: 'many' }), null)
  assert.equal(ask("a > 5 OR b = 'x'", { a: 'many', b: 'x' }), null)
  assert.equal(ask("b = 'x' OR a > 5", { a: 'many', b: 'x' }), true)
  assert.equal(ask("b <> 'x' AND a > 5", { a: 'many', b: 'x' }), false)
  assert.equal(compileSql('NOT (a > 5)').judge(lookupIn({ a: '5.5' })), 'failed')
  assert.equal(compileSql('a > 5').judge(lookupIn({})), null)
})

test('NOT binds tighter than a comparison', () => {
  assert.equal(ask("NOT a = 'x'", { a: 'y' }), null)
  assert.equal(ask("NOT (a = 'x')", { a: 'y' }), true)
})

test('a comment may end the text', () => {
  assert.equal(ask('a = 1 -- the first', { a: '1' }), true)
  assert.equal(ask('a = --1', { a: '1' }), true)
  assert.equal(ask('a = --1\n 2', { a: '2' }), true)
})

test('long and deep expressions are answered or refused, and never overflow', () => {
  const many = Array.from({ length: 5000 }, (_, i) => `a = ${i}`).join(' OR ')
  assert.equal(ask(many.slice(0, maxSqlLength).replace(/ OR [^R]*$/, ''), { a: '4' }), true)
  assert.equal(refusal('x'.repeat(maxSqlLength + 1)).position, maxSqlLength)
  const nested = (depth: number) => `${'('.repeat(depth)}a = 1${')'.repeat(depth)}`
  assert.equal(ask(nested(maxSqlDepth - 1), { a: '1' }), true)
  assert.match(refusal(nested(maxSqlDepth)).message, /nested deeper/)
  assert.match(refusal(`${'NOT '.repeat(16_000)}a`).message, /nested deeper/)
  assert.match(refusal(`a${' = b'.repeat(10_000)}`).message, /nested deeper/)
  assert.match(refusal(`a${" CONTAINS 'x'".repeat(4_000)}`).message, /nested deeper/)
  const chains = `${'('.repeat(150)}a${`${' = 1'.repeat(60)})`.repeat(150)} IS NULL`
  assert.match(refusal(chains).message, /nested deeper/)
})

test('no text makes the compiler throw anything but its own error', () => {
  const words = [
    'a',
    '(',
    ')',
    ',',
    "'x'",
    '1',
    '1.5',
    'NOT',
    'AND',
    'OR',
    'IN',
    'IS',
    'NULL',
    'BETWEEN',
    'TRUE',
    '=',
    '<',
    '-',
    'CONTAINS',
    "'",
    '--',
    '/*',
    '*/',
    '€',
  ] // prettier-ignore
  const text = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.array(fc.constantFrom(...words), { maxLength: 14 }).map(parts => parts.join(' ')),
  )
  fc.assert(
    fc.property(text, sql => {
      const answer = ourAnswer({ sql, properties: { a: '1' } })
      assert.ok(['true', 'false', 'null', 'failed', 'refused', 'trailing'].includes(answer))
    }),
    { numRuns: 3000 },
  )
})

test('the generator repeats itself from its seed', () => {
  const take = (seed: number) => JSON.stringify([...generateSqlCases({ count: 50, seed })])
  assert.equal(take(3), take(3))
  assert.notEqual(take(3), take(4))
})
