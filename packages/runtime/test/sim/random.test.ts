import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimRandom } from '../../src/index.ts'

const draw = (random: SimRandom) => [random.int(1_000_000), random.fraction(), random.uuid(), ...random.bytes(4)]

test('a seed repeats its sequence, another seed gives another', () => {
  assert.deepEqual(draw(new SimRandom(42)), draw(new SimRandom(42)))
  assert.equal(new SimRandom(42).seed, 42)
  const firsts = new Set(Array.from({ length: 1_000 }, (_, seed) => new SimRandom(seed).int(2 ** 40)))
  assert.equal(firsts.size, 1_000)
})

test('seeds above 32 bits differ', () => {
  assert.notDeepEqual(draw(new SimRandom(5)), draw(new SimRandom(5 + 2 ** 32)))
})

test('a fork does not depend on what is drawn from its parent afterwards', () => {
  const parent = new SimRandom(1)
  const fork = parent.fork()
  const other = new SimRandom(1)
  const otherFork = other.fork()
  other.int(10)
  assert.deepEqual(draw(fork), draw(otherFork))
})

test('an impossible range is refused', () => {
  for (const below of [0, -1, 1.5, Number.NaN]) assert.throws(() => new SimRandom(1).int(below), RangeError)
})
