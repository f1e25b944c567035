import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeOf } from '../../src/command/mqadmin/frame/flag.ts'
import { bodyText, jsonText } from '../../src/command/mqadmin/frame/json.ts'
import { record, table } from '../../src/command/mqadmin/frame/table.ts'
import { timeText, timeTextMs } from '../../src/command/mqadmin/frame/time-text.ts'
import { visible, widthOf } from '../../src/command/mqadmin/frame/width.ts'

test('columns stand below each other, also with Chinese, emoji and combining marks', () => {
  const { lines } = table(
    [
      { title: '#Group', cell: (row: [string, number]) => row[0] },
      { title: '#Diff', cell: row => row[1], right: true },
    ],
    [
      ['billing', 5],
      ['消费者组', 12_345],
      ['😀x', 0],
      ['e\u0301a', 7],
    ],
  )
  assert.deepEqual(lines, [
    '#Group    #Diff',
    'billing       5',
    '消费者组  12345',
    '😀x           0',
    'e\u0301a            7',
  ])
  assert.equal(new Set(lines.map(widthOf)).size, 1)
})

test('widths: two for wide characters, none for marks and what shows nothing', () => {
  for (const [text, width] of [
    ['', 0],
    ['abc', 3],
    ['订单', 4],
    ['ｱ', 1],
    ['Ａ', 2],
    ['e\u0301', 1],
    ['\u200b', 0],
    ['👨‍👩‍👧', 2],
    ['☁️', 2],
    ['한글', 4],
  ] as const)
    assert.equal(widthOf(text), width, JSON.stringify(text))
})

test('what a terminal would obey is made visible', () => {
  assert.equal(visible('a\u001b[2Jb\nc'), 'a\\u001b[2Jb\\u000ac')
  assert.deepEqual(record([['Body:', '\u0007']]).lines, ['Body: \\u0007'])
})

test('what is missing is a dash, and the last column has no blanks behind it', () => {
  const columns = [
    { title: '#A', cell: (row: { a: number | undefined }) => row.a },
    { title: '#LongTitle', cell: () => '' },
  ]
  assert.deepEqual(table(columns, [{ a: undefined }, { a: Number.NaN }]).lines, ['#A  #LongTitle', '-', '-'])
})

test('times are read as Apache writes them, and shown in local time', () => {
  assert.equal(timeOf('1700000000000'), 1_700_000_000_000)
  const at = new Date(2024, 1, 29, 13, 5, 9, 7).getTime()
  for (const form of ['2024-02-29#13:05:09:007', '2024-02-29 13:05:09.007', '2024-02-29T13:05:09:007'])
    assert.equal(timeOf(form), at, form)
  assert.equal(timeOf('2024-02-29'), new Date(2024, 1, 29).getTime())
  assert.equal(timeTextMs(at), '2024-02-29 13:05:09,007')
  assert.equal(timeText(0), 'N/A')
  for (const wrong of ['', 'yesterday', '2024-02', '1e3', '-1']) assert.throws(() => timeOf(wrong), wrong)
})

test('bodies are text in JSON, or base64 where they are none', () => {
  assert.equal(bodyText(Buffer.from('你好')), '你好')
  assert.equal(bodyText(Buffer.from([0xff, 0xfe])), 'base64://4=')
  assert.deepEqual(JSON.parse(jsonText({ body: Buffer.from('x'), big: 1n, map: new Map([[1, 'a']]) })), {
    body: 'x',
    big: '1',
    map: { 1: 'a' },
  })
})
