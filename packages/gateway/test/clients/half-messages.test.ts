import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { HalfMessages } from '../../src/clients/half-messages.ts'

const half = (n: number) => ({ brokerAddress: 'b:1', tranStateTableOffset: n, commitLogOffset: n })

test('a half message is known for thirty seconds by its topic and transaction, and not by one of them', async () => {
  const clock = new SimClock()
  const halves = new HalfMessages(clock)
  halves.put('T', 'x', half(1))
  await clock.advanceAsync(29_999)
  assert.equal(halves.take('T', 'x')?.commitLogOffset, 1)
  assert.equal(halves.take('U', 'x'), undefined)
  assert.equal(halves.take('T', 'y'), undefined)
  await clock.advanceAsync(1)
  assert.equal(halves.take('T', 'x'), undefined)
})

test('of more than 200,000 the oldest go, also where none is over yet', () => {
  const halves = new HalfMessages(new SimClock())
  for (let n = 0; n <= 200_000; n++) halves.put('T', String(n), half(n))
  assert.equal(halves.take('T', '0'), undefined)
  assert.equal(halves.take('T', '1')?.commitLogOffset, 1)
  assert.equal(halves.take('T', '200000')?.commitLogOffset, 200_000)
})

test('names of any length are kept up to a bound in bytes', () => {
  const halves = new HalfMessages(new SimClock())
  const long = (n: number) => `${n}-${'x'.repeat(1024 * 1024)}`
  for (let n = 0; n < 70; n++) halves.put('T', long(n), half(n))
  assert.equal(halves.take('T', long(0)), undefined)
  assert.equal(halves.take('T', long(69))?.commitLogOffset, 69)
  for (let n = 0; n < 70; n++) halves.put('T', long(69), half(n))
  assert.equal(halves.take('T', long(68))?.commitLogOffset, 68, 'the same one takes its room once')
})
