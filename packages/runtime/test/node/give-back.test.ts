import assert from 'node:assert/strict'
import { test } from 'node:test'
import { giveBack } from '../../src/index.ts'

const bytesEach = 16 * 1024 * 1024

function taken(): Buffer {
  return Buffer.allocUnsafeSlow(bytesEach)
}

test('what is given back is gone at once, without a collection', async () => {
  const first = taken()
  giveBack(first)
  assert.equal(first.length, 0)
  // From the next turn on nothing waits for the port to be closed.
  await new Promise(resolve => setImmediate(resolve))
  await new Promise(resolve => setImmediate(resolve))
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 50; i++) giveBack(taken())
  assert.ok(process.memoryUsage().arrayBuffers - before < bytesEach)
})

test('a part of a pool that others use is left alone', () => {
  const bytes = Buffer.from('shared')
  giveBack(bytes)
  giveBack(Buffer.allocUnsafeSlow(1024 * 1024).subarray(0, 100_000))
  assert.equal(bytes.toString(), 'shared')
})
