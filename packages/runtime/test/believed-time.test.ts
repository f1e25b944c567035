import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BelievedTime, SimClock } from '../src/index.ts'

const hour = 3_600_000

test('a clock that is ahead for a moment is not believed, one that stays there is after a minute', () => {
  const clock = new SimClock(0)
  const time = new BelievedTime(clock)
  assert.equal(time.now(), 0)
  clock.advance(10_000)
  clock.step(hour)
  assert.equal(time.now(), 10_000)
  clock.step(-hour)
  clock.advance(100_000)
  assert.equal(time.now(), 110_000)
  clock.step(hour)
  for (let at = 0; at < 6; at++) {
    assert.equal(time.now(), 110_000 + at * 10_000)
    clock.advance(10_000)
  }
  assert.equal(time.now(), 170_000 + hour)
})

test('small corrections and a clock that goes back are believed at once', () => {
  const clock = new SimClock(hour)
  const time = new BelievedTime(clock)
  time.now()
  clock.step(59_000)
  assert.equal(time.now(), hour + 59_000)
  clock.step(-hour)
  assert.equal(time.now(), 59_000)
})
