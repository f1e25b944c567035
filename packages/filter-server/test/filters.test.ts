import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { Filters, filterExpiryMs, maxSourceBytes } from '../src/filters.ts'
import { batchOf } from './batch.ts'

const limits = { callTimeoutMs: 1000, memoryBytes: 4 * 1024 * 1024 }
const batch = batchOf(['x'])
const passes = async (filter: ReturnType<Filters['find']>) => (await filter?.pass(batch))?.ranges.length === 1

function filters(t: TestContext) {
  const refused: string[] = []
  const clock = new SimClock()
  const table = new Filters({ clock, limits, maxFilters: 2, onRefused: (_, reason) => refused.push(reason) })
  t.after(() => table.stop())
  const register = (consumerGroup: string, source: string, topic = 'T') =>
    table.register({ consumerGroup, topic, className: 'F', source: Buffer.from(source) })
  return { table, register, refused, clock }
}

describe('registered filters', () => {
  test('are found by group and topic; a new text takes the place of the old one, the same text stays what it is', async t => {
    const { table, register } = filters(t)
    await register('g', 'function match() { return true }')
    const first = table.find('g', 'T')
    assert.equal(await passes(first), true)
    assert.equal(table.find('g', 'U'), undefined)
    assert.equal(table.find('h', 'T'), undefined)
    await register('g', 'function match() { return true }')
    assert.equal(table.find('g', 'T'), first)
    await register('g', 'function match() { return false }')
    assert.equal(await passes(table.find('g', 'T')), false)
  })

  test('a text that is none leaves the filter before it in place, and is told once', async t => {
    const { table, register, refused } = filters(t)
    await register('g', 'function match() { return true }')
    for (let i = 0; i < 3; i++) await assert.rejects(register('g', 'class Java {'))
    assert.equal(await passes(table.find('g', 'T')), true)
    assert.equal(refused.length, 1)
    assert.match(table.refusalOf('g', 'T') ?? '', /wanted is JavaScript/)
  })

  test('are limited in size and number', async t => {
    const { register, table, clock } = filters(t)
    const tooLong = `function match() { return true }${' '.repeat(maxSourceBytes)}`
    await assert.rejects(register('g', tooLong), /262144 are allowed/)
    for (const group of ['g0', 'g1']) await register(group, 'function match() { return true }')
    await assert.rejects(register('g2', 'function match() { return true }'), /2 filters/)
    await register('g0', 'function match() { return false }')
    clock.advance(filterExpiryMs)
    table.find('g1', 'T')?.used()
    clock.advance(1)
    table.expire()
    assert.equal(table.find('g0', 'T'), undefined, 'its consumers are gone')
    await register('g3', 'function match() { return true }')
    assert.equal(await passes(table.find('g1', 'T')), true)
  })
})
