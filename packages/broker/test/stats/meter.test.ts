import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter } from '../../src/stats/meter.ts'

/** Ten at a time, twice every 10 s, for so many samples. */
function filled(samples: number): Meter {
  const meter = new Meter()
  for (let i = 0; i < samples; i++) {
    meter.sample(i * 10_000)
    if (i === samples - 1) break
    meter.add(10)
    meter.add(10)
  }
  return meter
}

test('says nothing before its second sample', () => {
  const meter = new Meter()
  meter.add(5)
  assert.deepEqual(meter.window('minute'), { sum: 0, tps: 0, avgpt: 0 })
  meter.sample(0)
  assert.deepEqual(meter.window('minute'), { sum: 0, tps: 0, avgpt: 0 })
  assert.equal(meter.rate(10_000), 0)
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
  meter.sample(70_000)
  assert.equal(meter.rate(10_000), 5)
  assert.equal(meter.rate(60_000), 2.5)
  assert.equal(meter.rate(600_000), 2.5)
})

test('is idle after a day without anything', () => {
  const meter = filled(7)
  for (let hour = 1; hour <= 24; hour++) meter.sample(hour * 3_600_000)
  assert.equal(meter.isIdle, false)
  for (let hour = 25; hour <= 48; hour++) meter.sample(hour * 3_600_000)
  assert.equal(meter.isIdle, true)
  meter.add(1)
  assert.equal(meter.isIdle, false)
})
