import assert from 'node:assert/strict'
import { test } from 'node:test'
import { as, bool, double, int, javaLongMax, long, optional, text, version, withDefault } from '../src/index.ts'

test('ints are 32 bits in decimal', () => {
  assert.equal(int.parse('-2147483648'), -2147483648)
  assert.equal(int.parse('+7'), 7)
  for (const wrong of ['', ' 1', '1.0', '0x10', '1e3', '2147483648', '-2147483649', 'NaN']) {
    assert.throws(() => int.parse(wrong), RangeError, wrong)
  }
})

test('longs are safe integers, and both ends of the range in Java are named', () => {
  assert.equal(long.parse('9007199254740991'), Number.MAX_SAFE_INTEGER)
  assert.equal(long.parse('9223372036854775807'), javaLongMax)
  assert.equal(long.print(javaLongMax), '9223372036854775807')
  assert.equal(long.print(long.parse('-9223372036854775808')), '-9223372036854775808')
  for (const wrong of ['9007199254740992', '9223372036854775806', '-9223372036854775807', '']) {
    assert.throws(() => long.parse(wrong), RangeError, wrong)
  }
})

test('versions above 2^53 are rounded, keep their order and print as a long', () => {
  const [earlier, later] = [version.parse('1795578019466641560'), version.parse('1795578019466999999')]
  assert.ok(earlier < later)
  assert.equal(version.parse(version.print(earlier)), earlier)
  assert.match(version.print(earlier), /^\d{19}$/)
  for (const wrong of ['', '1.5', 'x', '1e3']) assert.throws(() => version.parse(wrong), RangeError, wrong)
})

test('only "true", in any case, is true', () => {
  assert.deepEqual(['true', 'TRUE', 'True', '1', 'yes', ''].map(bool.parse), [true, true, true, false, false, false])
  assert.equal(bool.print(false), 'false')
})

test('doubles have a fraction', () => {
  assert.equal(double.print(1), '1.0')
  assert.equal(double.print(1.5), '1.5')
  assert.equal(double.parse('1.5E2'), 150)
  assert.throws(() => double.parse('x'), RangeError)
})

test('fields keep their functions when they are made optional, renamed or given a default', () => {
  const made = as('b', optional(text))
  assert.deepEqual([made.wire, made.optional, made.parse], ['b', true, text.parse])
  assert.equal(withDefault(bool, false).fallback, false)
})
