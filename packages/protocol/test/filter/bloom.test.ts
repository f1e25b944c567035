import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { bloomAdd, bloomBitmap, bloomHas, bloomKey, bloomParameters, bloomPositions } from '../../src/filter/index.ts'

const { bloom: recorded } = JSON.parse(
  readFileSync(new URL('../fixtures/java-records.json', import.meta.url), 'utf8'),
) as { bloom: { key: string; m: number; k: number; bitPos: number[] }[] }

test("the defaults give the parameters and positions of Java's broker", () => {
  const parameters = bloomParameters({ errorPercent: 20, keys: 32 })
  assert.equal(recorded.length, 2)
  for (const { key, m, k, bitPos } of recorded) {
    assert.deepEqual(parameters, { bits: m, hashes: k })
    assert.deepEqual(bloomPositions(parameters, key), bitPos)
  }
  assert.equal(bloomKey('Fx_SQLCID', 'FxNormal'), 'Fx_SQLCID#FxNormal')
})

test('a bitmap has the keys that were added, and its bits are counted from the lowest', () => {
  const parameters = bloomParameters({ errorPercent: 1, keys: 100 })
  const bitmap = bloomBitmap(parameters)
  const keys = Array.from({ length: 100 }, (_, i) =>
    `group-${i}#a topic whose key is longer than a block`.slice(0, 5 + i),
  )
  for (const key of keys) bloomAdd(bitmap, bloomPositions(parameters, key))
  assert.ok(keys.every(key => bloomHas(bitmap, bloomPositions(parameters, key))))
  const strangers = Array.from({ length: 1000 }, (_, i) => `stranger-${i}`)
  const taken = strangers.filter(key => bloomHas(bitmap, bloomPositions(parameters, key)))
  assert.ok(taken.length < 50, `${taken.length} of 1000 unknown keys are taken for known`)
  const one = new Uint8Array(2)
  bloomAdd(one, [0, 11])
  assert.deepEqual([...one], [1, 8])
})

test('parameters without sense are refused', () => {
  for (const errorPercent of [0, 100, -1, Number.NaN]) {
    assert.throws(() => bloomParameters({ errorPercent, keys: 1 }), RangeError)
  }
  assert.throws(() => bloomParameters({ errorPercent: 20, keys: 0 }), RangeError)
})
