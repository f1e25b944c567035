import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeProperties, PropertiesError, printProperties, readProperties } from '../src/index.ts'

const pairs = (text: string) => readProperties(text).map(({ key, value }) => [key, value])

test('an ordinary broker.conf is read with the numbers of its lines', () => {
  const conf = [
    '# a broker',
    '',
    'brokerClusterName = DefaultCluster',
    'brokerName=broker-a',
    '  brokerId : 0',
    'deleteWhen 04',
    '! another comment',
    'namesrvAddr=10.0.0.1:9876;10.0.0.2:9876   ',
  ].join('\r\n')
  assert.deepEqual(readProperties(conf), [
    { key: 'brokerClusterName', value: 'DefaultCluster', line: 3 },
    { key: 'brokerName', value: 'broker-a', line: 4 },
    { key: 'brokerId', value: '0', line: 5 },
    { key: 'deleteWhen', value: '04', line: 6 },
    { key: 'namesrvAddr', value: '10.0.0.1:9876;10.0.0.2:9876', line: 8 },
  ])
})

test('a line continues after an odd number of backslashes, without the indent of the next one', () => {
  assert.deepEqual(readProperties('a=1,\\\n   2,\\\r\n\t3\nb=x\\\\\nc=y'), [
    { key: 'a', value: '1,2,3', line: 1 },
    { key: 'b', value: 'x\\', line: 4 },
    { key: 'c', value: 'y', line: 5 },
  ])
  assert.deepEqual(pairs('a=1\\\n#not a comment'), [['a', '1#not a comment']])
  assert.deepEqual(pairs('a=1\\\n\nb=2'), [
    ['a', '1'],
    ['b', '2'],
  ])
  assert.deepEqual(pairs('a=1\\'), [['a', '1']])
  assert.deepEqual(pairs('a=1\\\n\r\nb=2').length, 2)
  assert.deepEqual(pairs(' \\\n# a comment after a lone backslash\nb=2'), [['b', '2']])
})

test('a comment does not continue', () => {
  assert.deepEqual(pairs('# one \\\na=1\n! two \\\nb=2'), [
    ['a', '1'],
    ['b', '2'],
  ])
})

test('escapes are those of Java', () => {
  assert.deepEqual(pairs('a\\ b\\=c=\\u4e2d\\u6587\\t|\\q\\:'), [['a b=c', '中文\t|q:']])
  assert.deepEqual(pairs('path=C:\\\\data'), [['path', 'C:\\data']])
})

test('keys and values as Java cuts them', () => {
  assert.deepEqual(pairs('a=b=c'), [['a', 'b=c']])
  assert.deepEqual(pairs('a = = b'), [['a', '= b']])
  assert.deepEqual(pairs('empty='), [['empty', '']])
  assert.deepEqual(pairs('a=1\rb=2'), [
    ['a', '1'],
    ['b', '2'],
  ])
  assert.deepEqual(pairs('\ufeffa=1'), [['a', '1']])
  assert.deepEqual(pairs('__proto__=1\n__proto__=2'), [
    ['__proto__', '1'],
    ['__proto__', '2'],
  ])
})

test('what is damaged is told with its line, in one line', () => {
  const fails = (text: string, line: number, message: RegExp) =>
    assert.throws(
      () => readProperties(text),
      (error: PropertiesError) =>
        error instanceof PropertiesError &&
        error.line === line &&
        message.test(error.message) &&
        !/\n/.test(error.message),
    )
  fails('a=1\nb=\\u12G4\n', 2, /malformed escape \\u12G4/)
  fails('a=1\n\nb=\\u12', 3, /malformed escape \\u12/)
  fails('a=1\nsomething\n', 2, /no "=" after "something"/)
  fails('a=1\n=2\n', 2, /no key/)
  fails('a=1\nb=\0\n', 2, /not a text file/)
})

test('an escaped backslash before u is no escape of a character', () => {
  assert.deepEqual(pairs('home=C:\\\\users'), [['home', 'C:\\users']])
})

test('any text is read or refused with a PropertiesError, in time', () => {
  const piece = fc.constantFrom('\\', '\\u', '=', ':', ' ', '\n', '\r', '\r\n', '#', '!', 'a', 'k=v', '\t', '0', 'é')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
      try {
        readProperties(pieces.join(''))
      } catch (error) {
        assert.ok(error instanceof PropertiesError, String(error))
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a long line is read in linear time', () => {
  const started = performance.now()
  assert.equal(pairs(`a=${'\\\\'.repeat(100_000)}`)[0]?.[1]?.length, 100_000)
  assert.equal(pairs(`a=${'\\\\'.repeat(100_000)}x`)[0]?.[1]?.length, 100_001)
  assert.ok(performance.now() - started < 2_000)
})

test('what is printed is read back, in ASCII', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map(s => s.trim())
  fc.assert(
    fc.property(fc.array(fc.tuple(text.filter(Boolean), text), { maxLength: 8 }), entries => {
      fc.pre(entries.flat().every(s => !s.includes('\0')))
      const printed = printProperties(entries)
      assert.match(printed, /^[\n -~]*$/)
      assert.deepEqual(pairs(printed), entries)
    }),
  )
})

test('bytes are UTF-8 where they can be, Latin-1 otherwise', () => {
  assert.equal(decodeProperties(Buffer.from('a=中')), 'a=中')
  assert.equal(decodeProperties(Buffer.from('a=é', 'latin1')), 'a=é')
})
