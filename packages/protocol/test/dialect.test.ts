import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialect, forks } from '../src/index.ts'

test('Skua takes the 4.9 column, and the 5.x one only where a reason is given', () => {
  for (const [name, row] of Object.entries(forks)) {
    const taken = dialect[name as keyof typeof dialect]
    assert.equal(taken, 'why5' in row && row.why5 !== undefined ? row.v5 : row.v4, name)
    assert.notEqual(row.v4, row.v5, `${name} is no fork`)
    assert.match(row.page, /^(remoting|store|admin)\.md \d/)
  }
})

test('the codes clients see are those of 4.9', () => {
  assert.equal(dialect.illegalTopicOnSend, 1)
  assert.equal(dialect.queueIdOutOfRangeOnPull, 1)
  assert.equal(dialect.nameServerAnswersUnknownCode, true)
})
