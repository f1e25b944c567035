import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from '../src/index.ts'

test('a value belongs to the first bucket whose end is not below it', () => {
  const times = new Histogram([1, 10])
  for (const ms of [0, 1, 1.5, 10, 11]) times.add(ms)
  assert.deepEqual([...times.counts], [2, 2, 1])
  assert.deepEqual([times.count, times.sum], [5, 23.5])
})
