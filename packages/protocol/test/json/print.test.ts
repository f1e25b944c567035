import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { doubleText, JavaDouble, javaLongMax, javaLongMin, parseJavaJson, printJavaJson } from '../../src/index.ts'

test('the wire form has no white space, quotes integer keys, and leaves absent members out', () => {
  const value = {
    a: new Map([
      [0, 'x'],
      [2, 'y'],
    ]),
    b: undefined,
    c: null,
    d: [],
    e: {},
    f: [null, 1],
  }
  assert.equal(printJavaJson(value), '{"a":{"0":"x","2":"y"},"d":[],"e":{},"f":[null,1]}')
})

test('integer keys are bare on request', () => {
  assert.equal(
    printJavaJson(
      new Map([
        [0, 5],
        [2, 7],
      ]),
      { integerKeys: 'bare' },
    ),
    '{0:5,2:7}',
  )
})

test('object keys stand bare before the colon', () => {
  const map = new Map([[{ brokerName: 'b1', queueId: 3, topic: 'T' }, 5]])
  assert.equal(printJavaJson(map), '{{"brokerName":"b1","queueId":3,"topic":"T"}:5}')
})

test('longs are exact and doubles have a fraction', () => {
  assert.equal(printJavaJson([javaLongMin]), '[-9223372036854775808]')
  assert.equal(printJavaJson([javaLongMax, -9223372036854775808n]), '[9223372036854775807,-9223372036854775808]')
  assert.equal(printJavaJson([new JavaDouble(0), new JavaDouble(1.5), new JavaDouble(Number.NaN)]), '[0.0,1.5,null]')
})

test('doubles look as in Java', () => {
  const samples: [number, string][] = [
    [0, '0.0'],
    [100, '100.0'],
    [0.001, '0.001'],
    [0.0001, '1.0E-4'],
    [9999999, '9999999.0'],
    [1e7, '1.0E7'],
    [-1.25e10, '-1.25E10'],
  ]
  for (const [value, expected] of samples) assert.equal(doubleText(value), expected)
})

test('texts are raw UTF-8 but for control characters and line separators', () => {
  assert.equal(printJavaJson('中文 \u0001"\\\n\u2028'), '"中文 \\u0001\\"\\\\\\n\\u2028"')
  assert.equal(printJavaJson('中a', { asciiOnly: true }), '"\\u4E2Da"')
})

test('the file form is indented by tabs, with integer keys on one line', () => {
  const value = {
    a: { b: Int32Array.of(1, 2), c: {} },
    d: new Map([
      [0, 1],
      [1, 2],
    ]),
    e: [{ f: 1 }],
    g: new Map(),
  }
  assert.equal(
    printJavaJson(value, { style: 'file' }),
    '{\n\t"a":{\n\t\t"b":[1,2],\n\t\t"c":{}\n\t},\n\t"d":{0:1,1:2\n\t},\n\t"e":[\n\t\t{\n\t\t\t"f":1\n\t\t}\n\t],\n\t"g":{}\n}',
  )
})

test('lists and object keys of files look as fastjson 1.2.69 wrote them', () => {
  const queue = (queueId: number) => ({ brokerName: 'b', queueId, topic: 'T' })
  const value = {
    ints: [1, 2],
    list: [queue(1)],
    names: ['a'],
    none: [],
    offsetTable: new Map([
      [queue(2), 6],
      [queue(1), 5],
    ]),
  }
  assert.equal(
    printJavaJson(value, { style: 'file' }),
    `{
	"ints":[
		1,
		2
	],
	"list":[
		{
			"brokerName":"b",
			"queueId":1,
			"topic":"T"
		}
	],
	"names":[
		"a"
	],
	"none":[],
	"offsetTable":{{
			"brokerName":"b",
			"queueId":2,
			"topic":"T"
		}:6,{
			"brokerName":"b",
			"queueId":1,
			"topic":"T"
		}:5
	}
}`,
  )
})

test('a circle ends in a RangeError', () => {
  const circle: unknown[] = []
  circle.push(circle)
  assert.throws(() => printJavaJson(circle), RangeError)
})

test('both forms read back', () => {
  const keys = fc.string({ unit: 'grapheme' }).filter(key => key !== '$ref')
  const values = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value
  fc.assert(
    fc.property(values, fc.constantFrom('wire' as const, 'file' as const), fc.boolean(), (value, style, asciiOnly) => {
      assert.deepEqual(parseJavaJson(printJavaJson(value, { style, asciiOnly })), value)
    }),
  )
})
