import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { rocketmqFamilies, skuaFamilies } from '../../src/index.ts'

const path = new URL('../../../../docs/grafana-dashboard.json', import.meta.url)
const { panels } = JSON.parse(readFileSync(path, 'utf8')) as { panels: { id: number; targets?: { expr: string }[] }[] }
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
const families = Object.values({ ...rocketmqFamilies, ...skuaFamilies })
const constant = ['cluster', 'node_id', 'node_type', 'le']

/** The family of a sample's name. */
const familyOf = (name: string) =>
  families.find(each =>
    each.type === 'histogram' ? each.name === name.replace(/_(bucket|sum|count)$/, '') : each.name === name,
  )

test('the dashboard asks for names that there are, and for labels that they have', () => {
  assert.ok(expressions.length > 30)
  for (const expression of expressions) {
    const grouped = /by \(([^)]*)\)/.exec(expression)?.[1]?.split(', ') ?? []
    const found = [...expression.matchAll(/((?:rocketmq|skua)_\w+)\{([^}]*)\}/g)]
    assert.equal(found.length, 1, expression)
    for (const [, name = '', selector = ''] of found) {
      const family = familyOf(name)
      assert.ok(family !== undefined, name)
      const asked = [...selector.matchAll(/(\w+)(?:=|!)/g)].map(([, label]) => label as string)
      for (const label of [...asked, ...grouped])
        assert.ok(constant.includes(label) || family.labels.includes(label), `${name} has no ${label}`)
    }
  }
})

test('panels are told apart', () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
})
