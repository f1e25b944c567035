import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DialectName, dialectNames, dialectOf, forks, versionName } from '../src/index.ts'

test('every row is a fork, and says where it is described', () => {
  for (const [name, row] of Object.entries(forks)) {
    assert.notEqual(row.v4, row.v5, `${name} is no fork`)
    assert.match(row.page, /^(remoting|store|admin)\.md \d/)
  }
})

test('a dialect is one column of the table', () => {
  for (const [name, row] of Object.entries(forks)) {
    assert.equal(dialectOf('4.9')[name as keyof typeof forks], row.v4, name)
    assert.equal(dialectOf('5.3')[name as keyof typeof forks], row.v5, name)
  }
  assert.deepEqual(
    dialectNames.map(name => dialectOf(name).name),
    dialectNames,
  )
  assert.equal(dialectOf().name, '4.9')
  assert.throws(() => dialectOf('5.0' as DialectName), /no dialect 5\.0: 4\.9 or 5\.3/)
})

test('the versions are those of the releases after which the dialects are called', () => {
  assert.equal(versionName(dialectOf('4.9').version), 'V4_9_8')
  assert.equal(versionName(dialectOf('5.3').version), 'V5_3_3')
})
