import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PendingResets } from '../../src/offset/pending-resets.ts'

const queue = { group: 'g', topic: 't', queueId: 1 }

test('a reset is told once, to its queue only', () => {
  const resets = new PendingResets()
  resets.put(queue, 7)
  assert.equal(resets.isPending('g', 't', 1), true)
  assert.equal(resets.take({ ...queue, queueId: 2 }), undefined)
  assert.equal(resets.take({ ...queue, group: 'h' }), undefined)
  assert.equal(resets.take(queue), 7)
  assert.equal(resets.take(queue), undefined)
  assert.equal(resets.isPending('g', 't', 1), false)
})

test('keeps no more than its limit', () => {
  const resets = new PendingResets(1)
  resets.put(queue, 7)
  resets.put({ ...queue, queueId: 2 }, 7)
  resets.put(queue, 8)
  assert.equal(resets.isPending('g', 't', 2), false)
  assert.equal(resets.take(queue), 8)
})
