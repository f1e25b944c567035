import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delay, every, SimClock } from '../src/index.ts'

test('rounds of every do not overlap: the next one is armed when the former has ended', async () => {
  const clock = new SimClock()
  const started: number[] = []
  const timer = every(clock, 10, async () => {
    started.push(clock.monotonic())
    await delay(clock, 25)
  })
  await clock.advanceAsync(100)
  assert.deepEqual(started, [10, 45, 80])
  timer.cancel()
  await clock.advanceAsync(100)
  assert.equal(started.length, 3)
})

test('every is over when it is cancelled from its own round', () => {
  const clock = new SimClock()
  let rounds = 0
  const timer = every(clock, 10, () => {
    rounds++
    timer.cancel()
  })
  clock.advance(100)
  assert.equal(rounds, 1)
})

test('a delay ends with the reason of its signal, before and during the wait', async () => {
  const clock = new SimClock()
  const reason = new Error('stop')
  await assert.rejects(delay(clock, 10, AbortSignal.abort(reason)), reason)
  const abort = new AbortController()
  const waiting = delay(clock, 10, abort.signal)
  abort.abort(reason)
  await assert.rejects(waiting, reason)
  assert.equal(clock.nextInMs, undefined)
})
