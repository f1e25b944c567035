import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { CheckPoint, timerQueue } from '../../src/pop/check-point.ts'
import { CheckPoints } from '../../src/pop/check-points.ts'

function table() {
  const clock = new SimClock()
  const points = new CheckPoints(clock, () => 1e9)
  const add = (place: number, invisibleTime: number, queue = timerQueue) => {
    const names = { topic: 'T', group: 'g', queueId: 0, startOffset: place * 10, popTime: clock.now() }
    const point = new CheckPoint({ ...names, invisibleTime, reviveQid: 0, brokerName: 'b', diffs: [0, 3, 5] })
    Object.assign(point, { place, queue })
    points.add(point)
    return point
  }
  return { clock, points, add }
}

test('a check point goes when the last of its messages is settled, and gives all of its memory back', () => {
  const { points, add } = table()
  const point = add(7, 1000)
  assert.equal(points.bytes, point.bytes)
  assert.deepEqual(point.offsetsWithout(0), [70, 73, 75])
  assert.equal(point.bitOf(71), 0)
  points.settle(point, point.bitOf(70) | point.bitOf(75))
  assert.deepEqual(point.offsetsWithout(point.settled), [73])
  assert.equal(points.find(point), point)
  points.settle(point, point.bitOf(73))
  points.drop(point)
  assert.deepEqual(
    [points.size, points.bytes, points.find(point), points.baseOf(timerQueue)],
    [0, 0, undefined, undefined],
  )
})

test('what is settled, or dropped, is due no more', async () => {
  const { clock, points, add } = table()
  const [settled, dropped, open] = [add(1, 1000), add(2, 1000), add(3, 1000)]
  points.settle(settled, settled.all)
  points.drop(dropped)
  await clock.advanceAsync(5000)
  assert.deepEqual(points.due(10), [open])
})

test('the base is the first place of one that is open, of each queue by itself', () => {
  const { points, add } = table()
  const [first, second] = [add(3, 1000), add(4, 1000)]
  add(1, 1000, 2)
  assert.equal(points.baseOf(timerQueue), 3)
  points.settle(first, first.all)
  assert.equal(points.baseOf(timerQueue), 4)
  points.settle(second, second.all)
  assert.equal(points.baseOf(timerQueue), undefined)
  assert.equal(points.baseOf(2), 1)
})

test('due are those whose time is over, the oldest first, so many of them', () => {
  const { clock, points, add } = table()
  const late = add(1, 3000)
  const early = add(2, 1000)
  const middle = add(3, 2000)
  assert.deepEqual(points.due(10), [])
  clock.advance(1000)
  assert.deepEqual(points.due(10), [early])
  clock.advance(5000)
  assert.deepEqual(points.due(10), [early, middle, late])
  assert.deepEqual(points.due(2), [early, middle])
})

test('one that was made under a clock which was set back since waits for the invisible time, and no longer', async () => {
  const { clock, points } = table()
  const names = { topic: 'T', group: 'g', queueId: 0, startOffset: 10, popTime: clock.now() }
  // A start reads it again.
  clock.step(-20 * 24 * 3_600_000)
  const point = new CheckPoint({ ...names, invisibleTime: 1000, reviveQid: 0, brokerName: 'b', diffs: [0] })
  point.place = 1
  points.add(point)
  await clock.advanceAsync(999)
  assert.deepEqual(points.due(10), [])
  await clock.advanceAsync(1)
  assert.deepEqual(points.due(10), [point])
})
