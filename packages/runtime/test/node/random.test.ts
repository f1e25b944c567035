import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NodeRandom, type Random, SimRandom } from '../../src/index.ts'

const all: [string, Random][] = [
  ['NodeRandom', new NodeRandom()],
  ['SimRandom', new SimRandom(7)],
]

for (const [name, random] of all) {
  test(`${name}: integers reach every value below the limit and no other`, () => {
    const seen = new Set(Array.from({ length: 2_000 }, () => random.int(10)))
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
  })

  test(`${name}: fractions are in [0, 1) and spread evenly`, () => {
    const all = Array.from({ length: 4_000 }, () => random.fraction())
    assert.ok(all.every(value => value >= 0 && value < 1))
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length
    assert.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`)
  })

  test(`${name}: bytes have the wanted length, uuids the right form`, () => {
    assert.equal(random.bytes(17).length, 17)
    assert.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.notEqual(random.uuid(), random.uuid())
  })
}
