import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { Filter, firstRestMs } from '../src/filter.ts'
import { FilterFailed, type FilterScript } from '../src/filter-script.ts'
import type { FilteredMessage } from '../src/filtered-message.ts'
import { Filters, maxFilters, maxSourceBytes } from '../src/filters.ts'

const limits = { callTimeoutMs: 1000, memoryBytes: 4 * 1024 * 1024 }
const message = { fields: {}, body: () => Buffer.alloc(0) } as unknown as FilteredMessage

function filters() {
  const refused: string[] = []
  const table = new Filters({ clock: new SimClock(), limits, onRefused: (_, reason) => refused.push(reason) })
  const register = (consumerGroup: string, source: string, topic = 'T') =>
    table.register({ consumerGroup, topic, className: 'F', source: Buffer.from(source) })
  return { table, register, refused }
}

describe('registered filters', () => {
  test('are found by group and topic; a new text takes the place of the old one, the same text stays what it is', async () => {
    const { table, register } = filters()
    await register('g', 'function match() { return true }')
    const first = table.find('g', 'T')
    assert.equal(first?.matches(message), true)
    assert.equal(table.find('g', 'U'), undefined)
    assert.equal(table.find('h', 'T'), undefined)
    await register('g', 'function match() { return true }')
    assert.equal(table.find('g', 'T'), first)
    await register('g', 'function match() { return false }')
    assert.equal(table.find('g', 'T')?.matches(message), false)
  })

  test('a text that is none leaves the filter before it in place, and is told once', async () => {
    const { table, register, refused } = filters()
    await register('g', 'function match() { return true }')
    for (let i = 0; i < 3; i++) await assert.rejects(register('g', 'class Java {'))
    assert.equal(table.find('g', 'T')?.matches(message), true)
    assert.equal(refused.length, 1)
  })

  test('are limited in size and number', async () => {
    const { register } = filters()
    const tooLong = `function match() { return true }${' '.repeat(maxSourceBytes)}`
    await assert.rejects(register('g', tooLong), /262144 are allowed/)
    for (let i = 0; i < maxFilters; i++) await register(`g${i}`, 'function match() { return true }')
    await assert.rejects(register('one more', 'function match() { return true }'), /64 filters/)
    await register('g0', 'function match() { return false }')
  })
})

test('a filter that ran into a limit is left alone for a while, longer each time, and its consumer is told why', () => {
  const clock = new SimClock()
  let runs = 0
  let fails = true
  const script = {
    matches: () => {
      runs++
      if (fails) throw new FilterFailed('too long', { atLimit: true })
      return true
    },
  } as unknown as FilterScript
  const filter = new Filter({ className: 'F', crc: 0, script, clock })
  const failure = /too long/
  assert.throws(() => filter.matches(message), failure)
  assert.throws(() => filter.matches(message), failure)
  assert.equal(runs, 1)
  clock.advance(firstRestMs)
  assert.throws(() => filter.matches(message), failure)
  clock.advance(firstRestMs)
  assert.throws(() => filter.matches(message), failure)
  assert.equal(runs, 2)
  clock.advance(firstRestMs)
  fails = false
  assert.equal(filter.matches(message), true)
  fails = true
  assert.throws(() => filter.matches(message), failure)
  clock.advance(firstRestMs)
  assert.throws(() => filter.matches(message), failure)
  assert.equal(runs, 5)
})
