import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ProcessQueue } from '../../src/consume/process-queue.ts'

const message = (queueOffset: number, length = 10) => ({ queueOffset, body: { length } })
const filled = (...offsets: number[]) => {
  const queue = new ProcessQueue<ReturnType<typeof message>>(0)
  queue.put(offsets.map(offset => message(offset)))
  return queue
}

test('the commit position is the smallest offset that is still open', () => {
  const queue = filled(5, 6, 7)
  assert.equal(queue.remove([message(6)]), 5)
  assert.equal(queue.remove([message(5)]), 7)
  assert.equal(queue.remove([message(7)]), 8)
  assert.equal(queue.remove([message(7)]), undefined)
})

test('in whatever order messages are done, the position never passes an open one and ends behind the last', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500), { minLength: 1 }), fc.infiniteStream(fc.nat()), (given, picks) => {
      const offsets = [...given].sort((a, b) => a - b)
      const queue = filled(...offsets)
      const open = [...offsets]
      while (open.length > 0) {
        const [done] = open.splice(picks.next().value! % open.length, 1)
        assert.equal(queue.remove([message(done!)]), open[0] ?? offsets.at(-1)! + 1)
      }
      assert.equal(queue.sizeBytes, 0)
    }),
  )
})

test('count, bytes and span say what is cached, a message that comes twice counts once', () => {
  const queue = filled(10, 11, 30)
  queue.put([message(11)])
  assert.deepEqual([queue.count, queue.sizeBytes, queue.span, queue.minOffset, queue.maxOffset], [3, 30, 20, 10, 30])
  queue.clear()
  assert.deepEqual([queue.count, queue.sizeBytes, queue.span], [0, 0, 0])
})

test('orderly: what was put back is taken again first, and commit moves behind what was taken', () => {
  const queue = filled(1, 2, 3, 4)
  assert.deepEqual(
    queue.take(2).map(m => m.queueOffset),
    [1, 2],
  )
  assert.equal(queue.minOffset, 1)
  queue.putBack()
  assert.deepEqual(
    queue.take(3).map(m => m.queueOffset),
    [1, 2, 3],
  )
  assert.equal(queue.count, 4)
  assert.equal(queue.commit(), 4)
  assert.equal(queue.commit(), undefined)
  assert.deepEqual([queue.count, queue.sizeBytes, queue.minOffset], [1, 10, 4])
})
