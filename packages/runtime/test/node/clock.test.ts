import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { NodeClock } from '../../src/index.ts'

test('a delay longer than 2^31-1 ms is armed again until it is over', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    let ran = 0
    new NodeClock().after(2 ** 32, () => ran++)
    mock.timers.tick(2 ** 31 - 1)
    mock.timers.tick(2 ** 31 - 1)
    mock.timers.tick(1)
    assert.equal(ran, 0)
    mock.timers.tick(1)
    assert.equal(ran, 1)
  } finally {
    mock.timers.reset()
  }
})

test('a long delay can be cancelled after it was armed again', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    let ran = 0
    const timer = new NodeClock().after(2 ** 31 + 5, () => ran++)
    mock.timers.tick(2 ** 31 - 1)
    timer.cancel()
    mock.timers.tick(100)
    assert.equal(ran, 0)
  } finally {
    mock.timers.reset()
  }
})

test('the monotonic time never steps back and now is a whole number', () => {
  const clock = new NodeClock()
  let former = clock.monotonic()
  for (let i = 0; i < 1_000; i++) {
    const next = clock.monotonic()
    assert.ok(next >= former)
    former = next
  }
  assert.ok(Number.isInteger(clock.now()))
})
