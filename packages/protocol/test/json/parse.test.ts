import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJavaJson } from '../../src/index.ts'

const read = (text: string) => parseJavaJson(text)

test('bare integer and identifier keys read like quoted ones', () => {
  assert.deepEqual(read('{"correctionOffsets":{0:5,2:7}}'), { correctionOffsets: { 0: 5, 2: 7 } })
  assert.deepEqual(read('{-1:1,a_b:2,$c:3}'), { '-1': 1, a_b: 2, $c: 3 })
})

test('object keys make a Map', () => {
  const map = read('{{"brokerName":"b1","queueId":3,"topic":"T"}:5,{"queueId":4}:6}')
  assert.deepEqual(
    map,
    new Map([
      [{ brokerName: 'b1', queueId: 3, topic: 'T' }, 5],
      [{ queueId: 4 }, 6],
    ] as const),
  )
})

test('a text key beside object keys stays', () => {
  assert.deepEqual(
    read('{"a":1,{"b":2}:3}'),
    new Map<unknown, number>([
      ['a', 1],
      [{ b: 2 }, 3],
    ]),
  )
})

test('single quotes, trailing commas, white space and a BOM are read', () => {
  assert.deepEqual(read("\ufeff { 'a' : [ 1 , 2 , ] , 'b':'x\"y', }\n"), { a: [1, 2], b: 'x"y' })
})

test('escapes of strict JSON and of fastjson are read', () => {
  assert.equal(read(String.raw`"a\n\t\r\b\f\v\"\'\\\/é\x41\0"`), 'a\n\t\r\b\f\v"\'\\/\u00e9A\0')
})

test('integers beyond 2^53 stay exact', () => {
  assert.equal(read('9223372036854775807'), 9223372036854775807n)
  assert.equal(read('-9223372036854775808'), -9223372036854775808n)
  assert.equal(read('9007199254740991'), 9007199254740991)
  assert.equal(read('1.5E3'), 1500)
  assert.equal(read('12L'), 12)
})

test('numbers keep their literal text on request', () => {
  assert.deepEqual(parseJavaJson('{"a":1.50,"b":[9223372036854775807]}', { numbers: 'text' }), {
    a: '1.50',
    b: ['9223372036854775807'],
  })
})

test('a $ref reads as the object that was written before', () => {
  const stats = read(
    String.raw`{"offsetTable":{{"brokerName":"b1","queueId":0,"topic":"TopicA"}:{"lastUpdateTimestamp":1700000000000,"maxOffset":10,"minOffset":0},{"brokerName":"b1","queueId":3,"topic":"TopicA"}:{"$ref":"$.offsetTable.MessageQueue\\ \\[topic\\=TopicA\\,\\ brokerName\\=b1\\,\\ queueId\\=0\\]"}}}`,
  ) as { offsetTable: Map<unknown, unknown> }
  const [first, second] = [...stats.offsetTable.values()]
  assert.deepEqual(first, { lastUpdateTimestamp: 1700000000000, maxOffset: 10, minOffset: 0 })
  assert.equal(second, first)
})

test('paths by name, index, quoted name, and of the holder are followed', () => {
  const value = read(
    `{"a":{"x.y":[{"n":1}]},"b":{"$ref":"$.a.x\\\\.y[0]"},"c":{"$ref":"$['a']"},"d":{"$ref":"$"},"e":{"$ref":"$.b"},"f":[{"$ref":".."}]}`,
  ) as Record<string, unknown>
  assert.deepEqual(value.b, { n: 1 })
  assert.equal(value.c, value.a)
  assert.equal(value.d, value)
  assert.equal(value.e, value.b)
  assert.equal((value.f as unknown[])[0], value.f)
})

test('a path that leads nowhere, or in a circle, reads as null', () => {
  assert.deepEqual(read('{"a":{"$ref":"$.b.c"},"b":1}'), { a: null, b: 1 })
  assert.deepEqual(read('{"a":{"$ref":"$.b"},"b":{"$ref":"$.a"}}'), { a: null, b: null })
  assert.deepEqual(read('{"a":{"$ref":"$.toString"},"b":{"$ref":"!"}}'), { a: null, b: null })
  assert.equal(read('{"$ref":"$"}'), null)
})

test('a topic called __proto__ is a topic', () => {
  const value = read('{"__proto__":{"polluted":1}}') as object
  assert.deepEqual(Object.keys(value), ['__proto__'])
  assert.equal((value as { polluted?: unknown }).polluted, undefined)
})

test('what is no JSON is a SyntaxError with its place', () => {
  for (const text of [
    '',
    '{',
    '[1',
    '{"a"}',
    '{"a":}',
    '{"a":1 "b":2}',
    '[1 2]',
    '"x',
    '"\\u12',
    'nope',
    '1 2',
    '{]',
  ]) {
    assert.throws(() => read(text), SyntaxError, text)
  }
  assert.throws(() => read('{"a":?}'), /at character 5/)
})

test('depth and length are limited', () => {
  assert.throws(() => read('['.repeat(100_000)), /64 levels/)
  assert.throws(() => read('{{'.repeat(100_000)), /64 levels/)
  assert.throws(() => parseJavaJson('[[1]]', { maxDepth: 1 }), /1 levels/)
  assert.throws(() => parseJavaJson('[1,2,3]', { maxLength: 5 }), /too long/)
})

test('every JSON text reads as JSON.parse reads it, on the fast way and on the tolerant one', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const text = JSON.stringify(value)
      if (text.includes('$ref')) return
      assert.deepEqual(asNumbers(read(text)), JSON.parse(text))
      // A byte order mark is nothing that JSON.parse would take.
      assert.deepEqual(asNumbers(read(`\ufeff${text}`)), JSON.parse(text))
    }),
    { numRuns: 500 },
  )
})

test('digits, braces and backslashes in texts change nothing', () => {
  for (const text of ['123456789012345678901', '}}}[[[{{', 'a\\', '\\"\\\\"{', '"', '\\\\"']) {
    assert.deepEqual(read(JSON.stringify({ [text]: [text, 1] })), { [text]: [text, 1] })
  }
})

/** JSON.parse has no bigint. */
function asNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(asNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, asNumbers(member)]))
}

test('random text is read or is a SyntaxError, and nothing else', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    "'b'",
    '1',
    '-2.5e3',
    'null',
    'x',
    '"$ref"',
    '"$.a"',
    '\\',
    '"',
    ' ',
  )
  const anyText = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 30 }).map(list => list.join('')),
  )
  fc.assert(
    fc.property(anyText, text => {
      try {
        read(text)
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error))
      }
    }),
    { numRuns: 3000 },
  )
})
