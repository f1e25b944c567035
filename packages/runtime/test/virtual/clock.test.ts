import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anySlack, every, longestSlackMs, loopTurn, VirtualClock } from '../../src/index.ts'

const startMs = Date.UTC(2026, 0, 1)

/** Leaps from stop to stop, as a test's clock does without anything going on between. */
function pass(clock: VirtualClock, ms: number): number {
  const end = clock.monotonic() + ms
  let stops = 0
  for (let next = clock.nextStopMs; next <= end; next = clock.nextStopMs) {
    clock.stopAt(next)
    stops++
  }
  clock.stopAt(end)
  clock.rest()
  return stops
}

test('timers run in the order of their times, and of one moment as they were armed', () => {
  const clock = new VirtualClock(startMs)
  const ran: string[] = []
  for (const [name, ms] of [
    ['late', 20],
    ['early', 10],
    ['also early', 10],
  ] as const)
    clock.after(ms, () => ran.push(`${name} ${clock.now() - startMs}`))
  pass(clock, 30)
  assert.deepEqual(ran, ['early 10', 'also early 10', 'late 20'])
  assert.equal(clock.now(), startMs + 30)
})

test('what is due now runs by itself, and nothing else does', async () => {
  const clock = new VirtualClock(startMs)
  const ran: string[] = []
  clock.after(0, () => ran.push('now'))
  clock.after(1, () => ran.push('in a millisecond'))
  await loopTurn()
  await loopTurn()
  assert.deepEqual(ran, ['now'])
})

test('rounds that nobody waits for are left out, but for one at the end and one a day', () => {
  const clock = new VirtualClock(startMs)
  let rounds = 0
  every(clock, 100, () => void rounds++)
  pass(clock, 3_600_000)
  assert.equal(rounds, 1)
  pass(clock, 10 * longestSlackMs)
  assert.ok(rounds > 9 && rounds < 25, `${rounds}`)
})

test('many rounds are one stop', () => {
  const clock = new VirtualClock(startMs)
  for (let i = 0; i < 50; i++) every(clock, 100 + 17 * i, () => {})
  assert.ok(pass(clock, 10 * longestSlackMs) <= 21)
})

test('a timer that tells when it is wanted runs then, also where that has changed since', () => {
  const clock = new VirtualClock(startMs)
  let wantedMs = Number.POSITIVE_INFINITY
  const ran: number[] = []
  const arm = () => {
    const run = () => {
      ran.push(clock.monotonic())
      wantedMs = Number.POSITIVE_INFINITY
      arm()
    }
    clock.after(500, run, () => wantedMs - clock.monotonic())
  }
  arm()
  pass(clock, 3_600_000)
  assert.deepEqual(ran, [])
  wantedMs = clock.monotonic() + 90_000
  pass(clock, 3_600_000)
  assert.deepEqual(ran, [3_600_000 + 90_000])
})

test('a cancelled timer never runs, with slack or without', () => {
  const clock = new VirtualClock(startMs)
  const fail = () => assert.fail('cancelled')
  clock.after(10, fail).cancel()
  clock.after(10, fail, anySlack).cancel()
  pass(clock, 100)
})

test('the wall clock is set alone', () => {
  const clock = new VirtualClock(startMs)
  let ran = 0
  clock.after(1000, () => void ran++)
  clock.setWall(startMs - 5000)
  assert.equal(clock.now(), startMs - 5000)
  pass(clock, 1000)
  assert.equal(ran, 1)
})
