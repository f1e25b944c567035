import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { maxMeters, maxPulledQueues, Traffic } from '../../src/stats/traffic.ts'

function traffic() {
  const clock = new SimClock()
  const stats = new Traffic(clock)
  stats.start()
  return { clock, stats }
}

test('counts messages and bytes under the names that tools ask for', async () => {
  const { clock, stats } = traffic()
  stats.countPut('T', 3, 300)
  stats.countGet('g', 'T', { queueId: 1, nextOffset: 7, count: 2, bytes: 200 })
  stats.countSentBack('g', 'T')
  await clock.advanceAsync(10_000)
  const sum = (name: string, key: string) => stats.find(name, key)?.window('minute').sum
  assert.equal(sum('TOPIC_PUT_NUMS', 'T'), 3)
  stats.countPut('T', 3, 300)
  stats.countGet('g', 'T', { queueId: 1, nextOffset: 7, count: 2, bytes: 200 })
  stats.countSentBack('g', 'T')
  await clock.advanceAsync(10_000)
  assert.deepEqual(
    [
      sum('TOPIC_PUT_NUMS', 'T'),
      sum('TOPIC_PUT_SIZE', 'T'),
      sum('GROUP_GET_NUMS', 'T@g'),
      sum('GROUP_GET_SIZE', 'T@g'),
    ],
    [6, 600, 4, 400],
  )
  assert.deepEqual(
    [sum('SNDBCK_PUT_NUMS', 'T@g'), sum('BROKER_PUT_NUMS', 'any'), sum('BROKER_GET_NUMS', 'any')],
    [2, 6, 4],
  )
  assert.equal(stats.consumeTps('g', 'T'), 0.2)
  assert.equal(stats.topicPutTps('T'), 0.3)
})

test('goes on counting when the wall clock is set back, and knows how long it has been running', async () => {
  const { clock, stats } = traffic()
  await clock.advanceAsync(10_000)
  clock.step(-3_600_000)
  stats.countPut('T', 6, 600)
  await clock.advanceAsync(10_000)
  stats.countPut('T', 6, 600)
  await clock.advanceAsync(10_000)
  assert.equal(stats.topicPutTps('T'), 0.6)
  assert.ok(stats.put.nums.rate(60_000) > 0.2)
  assert.equal(stats.runningMs, 30_000)
})

test('what was never counted has no meter', () => {
  const { stats } = traffic()
  for (const [name, key] of [
    ['TOPIC_PUT_NUMS', 'T'],
    ['GROUP_GET_NUMS', 'T@g'],
    ['SOMETHING', 'T'],
  ] as const)
    assert.equal(stats.find(name, key), undefined)
})

test('keeps no more meters than its limit, and still counts the total', () => {
  const { stats } = traffic()
  for (let i = 0; i < maxMeters; i++) stats.countPut(`T${i}`, 1, 1)
  assert.notEqual(stats.find('TOPIC_PUT_NUMS', 'T0'), undefined)
  assert.equal(stats.find('TOPIC_PUT_NUMS', `T${maxMeters - 1}`), undefined)
  assert.equal(stats.put.nums.total, maxMeters)
})

test('a topic that nobody uses for a day is forgotten', async () => {
  const { clock, stats } = traffic()
  stats.countPut('T', 1, 1)
  await clock.advanceAsync(23 * 3_600_000)
  assert.notEqual(stats.find('TOPIC_PUT_NUMS', 'T'), undefined)
  await clock.advanceAsync(26 * 3_600_000)
  assert.equal(stats.find('TOPIC_PUT_NUMS', 'T'), undefined)
})

test('how far queues were pulled is known of a million of them, and of the others not', () => {
  const { stats } = traffic()
  const got = { queueId: 0, nextOffset: 7, count: 1, bytes: 1 }
  const perGroup = 65_536
  for (let i = 0; i <= maxPulledQueues; i++)
    stats.countGet(`g${Math.floor(i / perGroup)}`, 'T', { ...got, queueId: i % perGroup })
  assert.equal(stats.pulledTo('g0', 'T', 5), 7)
  const last = Math.floor(maxPulledQueues / perGroup)
  assert.equal(stats.pulledTo(`g${last}`, 'T', (maxPulledQueues - 1) % perGroup), 7)
  assert.equal(stats.pulledTo(`g${last}`, 'T', maxPulledQueues % perGroup), undefined)
  stats.countGet('g0', 'T', { ...got, queueId: 5, nextOffset: 9 })
  assert.equal(stats.pulledTo('g0', 'T', 5), 9)
})

test('today and yesterday begin with the day, by local time', async () => {
  const clock = new SimClock()
  const puts = { messages: 5 }
  const stats = new Traffic(clock, puts)
  stats.start()
  stats.countGet('g', 'T', { queueId: 0, nextOffset: 2, count: 2, bytes: 200 })
  await clock.advanceAsync(10_000)
  assert.deepEqual([stats.mornings.today, stats.mornings.yesterday], [none, none])
  await clock.advanceAsync(86_400_000)
  assert.deepEqual([stats.mornings.today, stats.mornings.yesterday], [{ put: 5, got: 2 }, none])
  puts.messages = 7
  await clock.advanceAsync(86_400_000)
  assert.deepEqual(stats.mornings.today, { put: 7, got: 2 })
  assert.deepEqual(stats.mornings.yesterday, { put: 5, got: 2 })
})

const none = { put: 0, got: 0 }
