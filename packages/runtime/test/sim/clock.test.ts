import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { delay, every, SimClock } from '../../src/index.ts'

test('timers run in the order of their times, and of their arming at one instant', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), delays => {
      const clock = new SimClock()
      const ran: [number, number][] = []
      for (const [i, ms] of delays.entries()) clock.after(ms, () => ran.push([clock.monotonic(), i]))
      clock.advance(20)
      const wanted = delays.map((ms, i): [number, number] => [ms, i]).sort((a, b) => a[0] - b[0] || a[1] - b[1])
      assert.deepEqual(ran, wanted)
    }),
  )
})

test('a timer runs when its time is reached and not before', () => {
  const clock = new SimClock()
  let ran = 0
  clock.after(15_000, () => ran++)
  clock.advance(14_999)
  assert.equal(ran, 0)
  assert.equal(clock.nextInMs, 1)
  clock.advance(1)
  assert.equal(ran, 1)
  assert.equal(clock.nextInMs, undefined)
})

test('a cancelled timer does not run, cancelling twice does nothing', () => {
  const clock = new SimClock()
  const ran: string[] = []
  const first = clock.after(1, () => ran.push('first'))
  clock.after(1, () => second.cancel())
  const second = clock.after(2, () => ran.push('second'))
  clock.after(3, () => ran.push('third'))
  first.cancel()
  first.cancel()
  clock.advance(3)
  assert.deepEqual(ran, ['third'])
})

test('timers armed by timers run in the same advance when they are due in it', () => {
  const clock = new SimClock()
  const at: number[] = []
  every(clock, 10, () => {
    at.push(clock.monotonic())
  })
  clock.advance(35)
  assert.deepEqual(at, [10, 20, 30])
  assert.equal(clock.monotonic(), 35)
})

test('a step moves now and neither the monotonic time nor the timers', () => {
  const clock = new SimClock(1_000)
  let ran = 0
  clock.after(10, () => ran++)
  clock.step(-500)
  assert.equal(clock.now(), 500)
  assert.equal(clock.monotonic(), 0)
  clock.step(100_000)
  clock.advance(9)
  assert.equal(ran, 0)
  clock.advance(1)
  assert.equal(ran, 1)
})

test('time that passes while the loop is blocked makes timers late', () => {
  const clock = new SimClock()
  const at: number[] = []
  clock.after(10, () => at.push(clock.monotonic()))
  clock.block(50)
  assert.deepEqual(at, [])
  clock.advance(0)
  assert.deepEqual(at, [50])
})

test('advanceAsync lets promises go on between timers', async () => {
  const clock = new SimClock()
  const at: number[] = []
  const work = async () => {
    for (let i = 0; i < 3; i++) {
      await delay(clock, 10)
      at.push(clock.monotonic())
    }
  }
  const done = work()
  await clock.advanceAsync(100)
  await done
  assert.deepEqual(at, [10, 20, 30])
  assert.equal(clock.monotonic(), 100)
})

test('until stops at the timer that settles the promise, and fails when there is none', async () => {
  const clock = new SimClock()
  clock.after(50, () => assert.fail('ran too far'))
  assert.equal(await clock.until(delay(clock, 7).then(() => 'done')), 'done')
  assert.equal(clock.monotonic(), 7)
  await assert.rejects(new SimClock().until(new Promise(() => {})), /not settled/)
  await assert.rejects(new SimClock().until(Promise.reject(new Error('its own'))), /its own/)
})

test('timers of 0 ms that arm each other for ever are found', () => {
  const clock = new SimClock()
  const again = () => {
    clock.after(0, again)
  }
  again()
  assert.throws(() => clock.advance(1), /without end/)
})
