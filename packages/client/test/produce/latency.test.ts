import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LatencyFaults, latencyRules5, latencyRules49 } from '../../src/produce/latency.ts'

const rows49 = [
  [49, 0],
  [99, 0],
  [100, 0],
  [549, 0],
  [550, 30_000],
  [1_000, 60_000],
  [2_999, 120_000],
  [3_000, 180_000],
  [15_000, 600_000],
] as const
const rows5 = [
  [549, 0],
  [550, 2_000],
  [1_800, 5_000],
  [3_000, 6_000],
  [5_000, 10_000],
  [20_000, 30_000],
] as const

for (const [rules, rows] of [
  [latencyRules49, rows49],
  [latencyRules5, rows5],
] as const) {
  test(`a broker is left out as long as the table with ${rules.isolationMs} says`, () => {
    for (const [latencyMs, avoidMs] of rows) {
      const faults = new LatencyFaults(rules)
      faults.observe('b', { latencyMs, failed: false, nowMs: 1_000 })
      assert.equal(faults.available('b', 1_000 + avoidMs), true)
      if (avoidMs > 0) assert.equal(faults.available('b', 999 + avoidMs), false)
    }
  })
}

test('a failed send isolates: 600 s by the table of 4.9, 10 s by that of 5.x', () => {
  for (const [rules, avoidMs] of [
    [latencyRules49, 600_000],
    [latencyRules5, 10_000],
  ] as const) {
    const faults = new LatencyFaults(rules)
    faults.observe('b', { latencyMs: 1, failed: true, nowMs: 0 })
    assert.equal(faults.available('b', avoidMs - 1), false)
    assert.equal(faults.available('b', avoidMs), true)
  }
})

test('brokers are ranked: available ones, then by latency', () => {
  const faults = new LatencyFaults(latencyRules5)
  faults.observe('slow', { latencyMs: 2_000, failed: false, nowMs: 0 })
  faults.observe('quick', { latencyMs: 10, failed: false, nowMs: 0 })
  faults.observe('fair', { latencyMs: 90, failed: false, nowMs: 0 })
  assert.deepEqual(faults.ranked(['slow', 'fair', 'quick'], 1), ['quick', 'fair', 'slow'])
})
