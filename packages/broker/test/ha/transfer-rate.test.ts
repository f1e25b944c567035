import assert from 'node:assert/strict'
import test from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { TransferRate } from '../../src/ha/transfer-rate.ts'

test('a rate tells the last whole second, and nothing after one without bytes', () => {
  const clock = new SimClock()
  const rate = new TransferRate(clock)
  rate.add(100)
  clock.advance(400)
  rate.add(50)
  assert.equal(rate.bytesPerSecond, 0, 'the first second is not over')
  clock.advance(700)
  assert.equal(rate.bytesPerSecond, 150)
  rate.add(30)
  assert.equal(rate.bytesPerSecond, 150)
  clock.advance(900)
  assert.equal(rate.bytesPerSecond, 30)
  clock.advance(1000)
  assert.equal(rate.bytesPerSecond, 0)
  rate.add(7)
  clock.advance(10_000)
  assert.equal(rate.bytesPerSecond, 0, 'what passed long ago is no rate of now')
})
