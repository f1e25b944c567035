import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressPattern } from '../../src/acl/address-pattern.ts'

const cases: readonly [pattern: string, meant: readonly string[], others: readonly string[]][] = [
  ['', [], ['10.0.0.1', '::1']],
  ['*', ['10.0.0.1', '::1'], []],
  ['*.*.*.*', ['10.0.0.1'], ['::1']],
  ['10.1.2.3', ['10.1.2.3'], ['10.1.2.4', '10.1.2.33']],
  ['10.1.2.*', ['10.1.2.0', '10.1.2.255'], ['10.1.3.2', '110.1.2.3']],
  ['10.1.2.1-100', ['10.1.2.1', '10.1.2.100'], ['10.1.2.0', '10.1.2.101']],
  ['10.1.1-9.*', ['10.1.9.200', '10.1.1.1'], ['10.1.10.1', '10.1.0.1']],
  ['10.1.2.{1,22}', ['10.1.2.1', '10.1.2.22'], ['10.1.2.2']],
  ['10.1.2.3, 10.1.2.5,10.1.3.*', ['10.1.2.3', '10.1.2.5', '10.1.3.9'], ['10.1.2.4']],
  ['2001:db8::*', ['2001:db8::7', '2001:DB8:0:0:0:0:0:ffff'], ['2001:db8::1:7', '10.0.0.1']],
  ['2001:db8::1-f', ['2001:db8::a'], ['2001:db8::10']],
  ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
]

for (const [pattern, meant, others] of cases) {
  test(`"${pattern}" means ${meant.join(', ') || 'nobody'}`, () => {
    const matches = addressPattern(pattern)
    for (const host of meant) assert.ok(matches(host), host)
    for (const host of others) assert.ok(!matches(host), host)
  })
}

for (const wrong of [
  '10.1.2',
  '10.1.2.3.4',
  '10.1.2.256',
  '10.1.2.x',
  '10.1.2.9-1',
  '10.1.2.-3',
  '10.1.2.{1,x}',
  '1:2:3',
]) {
  test(`"${wrong}" is refused`, () => {
    assert.throws(() => addressPattern(wrong), RangeError)
  })
}
