import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queueOfGroup } from '../../src/message/group-queue.ts'

test('a group stays in its queue, and only few move when queues are added', () => {
  const groups = Array.from({ length: 1000 }, (_, i) => `order-${i}`)
  const before = groups.map(group => queueOfGroup(group, 8))
  assert.deepEqual(
    before,
    groups.map(group => queueOfGroup(group, 8)),
  )
  const after = groups.map(group => queueOfGroup(group, 9))
  const moved = after.filter((queue, i) => queue !== before[i])
  assert.ok(
    moved.every(queue => queue === 8),
    'those that move go to the new queue',
  )
  assert.ok(moved.length > 50 && moved.length < 200, `${moved.length} of 1000 moved`)
  const counts = Array.from({ length: 8 }, (_, queue) => before.filter(each => each === queue).length)
  assert.ok(Math.min(...counts) > 80, `${counts}`)
})

test('without a queue there is none', () => {
  assert.equal(queueOfGroup('a', 0), -1)
  assert.equal(queueOfGroup('a', 1), 0)
})
