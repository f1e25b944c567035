import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backlogSkip } from '../../src/consume/backlog.ts'
import { heldBack, sharedLimits } from '../../src/consume/flow.ts'

const limits = { count: 1000, bytes: 100, span: 2000 }

test('a queue is held back above each limit, and not at it', () => {
  assert.equal(heldBack({ count: 1000, sizeBytes: 100, span: 2000 }, limits), undefined)
  assert.equal(heldBack({ count: 1001, sizeBytes: 0, span: 0 }, limits), 'count')
  assert.equal(heldBack({ count: 1, sizeBytes: 101, span: 0 }, limits), 'size')
  assert.equal(heldBack({ count: 1, sizeBytes: 0, span: 2001 }, limits), 'span')
})

test('orderly consumption has no limit of span', () => {
  assert.equal(heldBack({ count: 1, sizeBytes: 0, span: 9_999 }, { ...limits, span: undefined }), undefined)
})

test('limits per topic are divided by the owned queues, and never below one', () => {
  const queue = { count: 1000, bytes: 100 }
  assert.deepEqual(sharedLimits(queue, { count: -1, bytes: -1 }, 3), queue)
  assert.deepEqual(sharedLimits(queue, { count: 100, bytes: -1 }, 3), { count: 33, bytes: 100 })
  assert.deepEqual(sharedLimits(queue, { count: 2, bytes: 50 }, 5), { count: 1, bytes: 10 })
})

const view = { storedAtMs: 1_000, queueOffset: 10, maxOffset: 110, nowMs: 61_000 }

test('a backlog is skipped by count so that exactly the allowed number remains', () => {
  const rules = { skipBacklogBeyond: 99, skipBacklogOlderThanMs: undefined }
  assert.deepEqual(backlogSkip(view, rules), { why: 'count', to: 11 })
  assert.equal(backlogSkip(view, { ...rules, skipBacklogBeyond: 100 }), undefined)
})

test('a backlog is skipped by age from the moment that is asked for', () => {
  const rules = { skipBacklogBeyond: undefined, skipBacklogOlderThanMs: 59_999 }
  assert.deepEqual(backlogSkip(view, rules), { why: 'age', sinceMs: 1_001 })
  assert.equal(backlogSkip(view, { ...rules, skipBacklogOlderThanMs: 60_000 }), undefined)
})
