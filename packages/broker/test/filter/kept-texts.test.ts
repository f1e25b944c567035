import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTags } from '@skua-mq/protocol'
import { ExpressionFilters } from '../../src/filter/subscription-filters.ts'

const filters = () =>
  new ExpressionFilters({ enablePropertyFilter: true, filterSupportRetry: false }, { find: () => undefined })
const pull = (type: string, expression: string) => ({ topic: 'T', group: 'g', type, expression })

test('a pull with a type that nobody knows changes nothing for the tags of others', () => {
  const kept = filters()
  assert.ok('code' in (kept.ofText(pull('TAG:order', 'created')) ?? {}))
  const filter = kept.ofText(pull('TAG', 'order:created'))
  assert.ok(filter !== undefined && 'matchesTag' in filter, JSON.stringify(filter))
  const parsed = parseTags('order:created')
  assert.ok(parsed !== undefined && !parsed.all)
  for (const code of parsed.codes) assert.equal(filter.matchesTag(code), true)
})

test('nor for the SQL of others', () => {
  const kept = filters()
  assert.ok('code' in (kept.ofText(pull("SQL92:a = 'x", "'")) ?? {}))
  const filter = kept.ofText(pull('SQL92', "a = 'x:'"))
  assert.ok(filter !== undefined && 'matchesTag' in filter, JSON.stringify(filter))
})
