import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileSql, draftRecord, recordSize, SqlSyntaxError, writeRecord } from '@skua-mq/protocol'
import { RecordProperties } from '../../src/filter/record-properties.ts'

const values = [
  ...['5', '-5', '+5', '05', '0', '-0', '00', '-', '999999999', '1000000000', '2147483647', '2147483648'],
  ...['-2147483648', '-2147483649', '9223372036854775807', '9223372036854775808', '5.0', '5.', ' 5', '5 ', '5x', '1e1'],
  ...['٥', '५', 'red', 'réd', 'Red', 'redder', 're', 'true', 'TRUE', '\ufffd', undefined],
] as const
const literals = [
  ...[
    '5',
    '-5',
    '0',
    '-0',
    '999999999',
    '1000000000',
    '2147483647',
    '-2147483648',
    '3000000000',
    '9223372036854775807',
  ],
  ...['5.0', '0.0', '-0.0', '5.5', '1e1', "'red'", "'réd'", "'5'", "'-0'", "''", "'\ufffd'", 'TRUE', 'NULL', 'b'],
]
const conditions = literals.flatMap(literal => [
  ...['=', '<>', '<', '<=', '>', '>='].flatMap(operator => [`a ${operator} ${literal}`, `${literal} ${operator} a`]),
  `a BETWEEN ${literal} AND ${literal}`,
  `NOT (a = ${literal}) OR b = 5`,
  `a = ${literal} AND a < 6 AND b IS NOT NULL`,
])
const sets = ["'red'", "'red', '5', 'réd'", "'\ufffd', '5'", "'1','2','3','4','5','6','7','8','9'"]
const expressions = [...conditions, ...sets.flatMap(set => [`a IN (${set})`, `a NOT IN (${set})`])]

test('an expression has the same answer for a stored message as for the map of its properties', () => {
  const read = new RecordProperties()
  let asked = 0
  for (const expression of expressions) {
    const sql = compiled(expression)
    if (sql === undefined) continue
    for (const a of values)
      for (const b of ['5', undefined]) {
        const pairs = Object.entries({ c: '7', a, b, ab: '1' }).filter(pair => pair[1] !== undefined)
        const bytes = record(pairs.map(([name, value]) => `${name}\u0001${value}`).join('\u0002'))
        assert.ok(read.read(bytes, 0, bytes.length), 'a record')
        const map = new Map(pairs as [string, string][])
        const wanted = sql.judge(name => map.get(name))
        assert.equal(sql.judge(read), wanted, `${expression} where a is ${a} and b is ${b}`)
        asked++
      }
  }
  assert.ok(asked > 10_000, `${asked} asked`)
})

/** Undefined for what Java refuses, say an order of texts. */
function compiled(expression: string) {
  try {
    return compileSql(expression)
  } catch (error) {
    if (error instanceof SqlSyntaxError) return undefined
    throw error
  }
}

function record(properties: string): Buffer {
  const draft = draftRecord({
    ...{ topic: Buffer.from('T'), body: Buffer.from('x'), queueOffset: 0, physicalOffset: 0 },
    ...{ bornTimestamp: 1, storeTimestamp: 1, properties: Buffer.from(properties) },
  })
  const bytes = Buffer.alloc(recordSize(draft))
  writeRecord(bytes, 0, draft)
  return bytes
}
