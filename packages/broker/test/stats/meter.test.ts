import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter, windowsAt } from '../../src/stats/meter.ts'

/** Ten at a time, twice every 10 s, for so many samples. */
function filled(samples: number): Meter {
  const meter = new Meter()
  for (let i = 0; i < samples; i++) {
    meter.sample(i * 10_000, windowsAt(i))
    if (i === samples - 1) break
    meter.add(10)
    meter.add(10)
  }
  return meter
}

test('says nothing before its first sample; what came before that came in the step before it', () => {
  const meter = new Meter()
  meter.add(5)
  meter.add(15)
  assert.deepEqual(meter.window('minute'), { sum: 0, tps: 0, avgpt: 0 })
  meter.sample(50_000, windowsAt(0))
  assert.deepEqual(meter.window('minute'), { sum: 20, tps: 2, avgpt: 10 })
  assert.equal(meter.window('hour').sum, 20)
  assert.equal(meter.window('day').sum, 20)
  meter.add(10)
  meter.sample(60_000, windowsAt(1))
  assert.deepEqual(meter.window('minute'), { sum: 30, tps: 1.5, avgpt: 10 })
})

test('one that is younger has no hour and no day before the broker’s are due, so that tools go by the minute', () => {
  const meter = new Meter()
  meter.add(5)
  for (let tick = 7; tick < 60; tick++) meter.sample(tick * 10_000, windowsAt(tick))
  assert.deepEqual([meter.window('hour').sum, meter.window('day').sum], [0, 0])
  meter.sample(600_000, windowsAt(60))
  assert.deepEqual([meter.window('hour').sum, meter.window('day').sum], [5, 0])
  meter.sample(3_600_000, windowsAt(360))
  assert.equal(meter.window('day').sum, 5)
})

test('a minute is its last six steps of 10 s', () => {
  assert.deepEqual(filled(7).window('minute'), { sum: 120, tps: 2, avgpt: 10 })
  assert.deepEqual(filled(100).window('minute'), { sum: 120, tps: 2, avgpt: 10 })
})

test('an hour is sampled every 10 minutes', () => {
  const meter = filled(361)
  assert.deepEqual(meter.window('hour'), { sum: 7200, tps: 2, avgpt: 10 })
  assert.equal(meter.rate(600_000), 2)
})

test('the rate of 10 s is that of the last step', () => {
  const meter = filled(7)
  meter.add(50)
  meter.sample(70_000, windowsAt(7))
  assert.equal(meter.rate(10_000), 5)
  assert.equal(meter.rate(60_000), 2.5)
  assert.equal(meter.rate(600_000), 2.5)
})

test('is idle after a day without anything', () => {
  const meter = filled(7)
  for (let hour = 1; hour <= 24; hour++) meter.sample(hour * 3_600_000, windowsAt(hour * 360))
  assert.equal(meter.isIdle, false)
  for (let hour = 25; hour <= 48; hour++) meter.sample(hour * 3_600_000, windowsAt(hour * 360))
  assert.equal(meter.isIdle, true)
  meter.add(1)
  assert.equal(meter.isIdle, false)
})
