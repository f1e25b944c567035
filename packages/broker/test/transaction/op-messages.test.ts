import assert from 'node:assert/strict'
import { test } from 'node:test'
import { halfOffsetsOf } from '../../src/transaction/op-messages.ts'

test('bodies of 4.9 and of 5.x are both read, and nonsense says nothing', () => {
  assert.deepEqual(halfOffsetsOf(Buffer.from('5')), [5])
  assert.deepEqual(halfOffsetsOf(Buffer.from('0,1,3,')), [0, 1, 3])
  assert.deepEqual(halfOffsetsOf(Buffer.from('')), [])
  assert.deepEqual(halfOffsetsOf(Buffer.from('-1,x,7')), [7])
})
