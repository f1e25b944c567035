import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queueOfKey } from '../../src/produce/key-hash.ts'
import { LatencyFaults } from '../../src/produce/latency.ts'
import { QueueRound } from '../../src/produce/queue-choice.ts'

const queues = ['a', 'b'].flatMap(brokerName => [0, 1].map(queueId => ({ topic: 'T', brokerName, queueId })))
const name = (queue: { brokerName: string; queueId: number }) => `${queue.brokerName}${queue.queueId}`

test('queues take turns', () => {
  const round = new QueueRound(3)
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => name(round.next(queues))),
    ['b1', 'a0', 'a1', 'b0', 'b1'],
  )
})

test('after a failure another broker is taken, if there is another', () => {
  const round = new QueueRound(0)
  assert.equal(round.next(queues, 'a').brokerName, 'b')
  const alone = queues.filter(queue => queue.brokerName === 'a')
  assert.equal(round.next(alone, 'a').brokerName, 'a')
})

test('a slow broker is left out as long as another one is there', () => {
  const faults = new LatencyFaults()
  faults.observe('a', { latencyMs: 600, failed: false, nowMs: 0 })
  const round = new QueueRound(0)
  for (let i = 0; i < 8; i++) assert.equal(round.nextByLatency(queues, { faults, nowMs: 1 }).brokerName, 'b')
  assert.equal(round.nextByLatency(queues, { faults, nowMs: 30_000 }).brokerName, 'a')
})

test('when all are slow the better half is taken', () => {
  const faults = new LatencyFaults()
  faults.observe('a', { latencyMs: 2_000, failed: false, nowMs: 0 })
  faults.observe('b', { latencyMs: 600, failed: false, nowMs: 0 })
  assert.equal(new QueueRound(0).nextByLatency(queues, { faults, nowMs: 1 }).brokerName, 'b')
})

test("an order key finds the queue that Java's hash finds", () => {
  const five = [0, 1, 2, 3, 4].map(queueId => ({ topic: 'T', brokerName: 'b', queueId }))
  // javaHash('TagA') = 2598919, javaHash('中文') = 646394; Long.hashCode(2^32 + 5) = 4.
  assert.equal(queueOfKey(five, 'TagA').queueId, 4)
  assert.equal(queueOfKey(five, '中文').queueId, 4)
  assert.equal(queueOfKey(five, -7).queueId, 2)
  assert.equal(queueOfKey(five, 2 ** 32 + 5).queueId, 4)
})
