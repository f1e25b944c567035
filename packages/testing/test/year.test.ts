import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveThrough } from './year.ts'

test('two weeks of retries, delays, transactions and retention is the same for the same seed, and another one for another', async () => {
  const first = await liveThrough(14, 7)
  assert.deepEqual(await liveThrough(14, 7), first)
  assert.notEqual((await liveThrough(14, 8)).digest, first.digest)
  assert.equal(first.sent, 84)
  assert.equal(first.decided, 14)
  // An order a day fails twice, and one a week six times. Half of the transactions are rolled back, more or less.
  assert.equal(first.failures, 14 * 2 + 2 * 6)
  assert.ok(first.handled > 65 && first.handled < 83, `${first.handled}`)
  assert.ok(first.left > 0 && first.left < 60, `retention has left ${first.left}`)
})
