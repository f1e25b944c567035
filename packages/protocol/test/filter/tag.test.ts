import assert from 'node:assert/strict'
import test from 'node:test'
import { matchesTag, matchesTagsCode, parseTags, subscriptionData } from '../../src/filter/index.ts'
import { javaHash } from '../../src/message/index.ts'

test('a star, an empty text and none at all let everything through', () => {
  for (const expression of ['*', '', undefined]) {
    const filter = parseTags(expression)
    assert.deepEqual(filter, { all: true })
    assert.ok(filter && matchesTagsCode(filter, 0) && matchesTag(filter, undefined))
  }
})

test('tags are cut at two bars and trimmed', () => {
  const filter = parseTags(' TagA || TagB||TagA|| ||中文 ')
  assert.ok(filter && !filter.all)
  assert.deepEqual([...filter.tags], ['TagA', 'TagB', '中文'])
  assert.deepEqual([...filter.codes], [2598919, 2598920, 646394])
  assert.deepEqual(
    [2598919, 646394, 0, 1].map(code => matchesTagsCode(filter, code)),
    [true, true, false, false],
  )
})

test('a tag of the same hash passes the broker and not the consumer', () => {
  assert.equal(javaHash('Aa'), javaHash('BB'))
  const filter = parseTags('Aa')
  assert.ok(filter)
  assert.equal(matchesTagsCode(filter, javaHash('BB')), true)
  assert.deepEqual(
    ['BB', 'Aa', undefined].map(tag => matchesTag(filter, tag)),
    [false, true, false],
  )
})

test('bars alone are refused; blanks and bars name no tag', () => {
  for (const expression of ['||', '||||']) assert.equal(parseTags(expression), undefined)
  const nothing = parseTags(' || ')
  assert.ok(nothing && !nothing.all && nothing.tags.size === 0)
  assert.equal(matchesTagsCode(nothing, 0), false)
})

test("a subscription is what Java's heartbeat carries", () => {
  assert.deepEqual(subscriptionData({ topic: 'T', expression: 'TagA || TagB', subVersion: 17 }), {
    classFilterMode: false,
    topic: 'T',
    subString: 'TagA || TagB',
    tagsSet: ['TagA', 'TagB'],
    codeSet: [2598919, 2598920],
    subVersion: 17,
    expressionType: 'TAG',
  })
  const all = subscriptionData({ topic: 'T', expression: '', type: 'TAG', subVersion: 1 })
  assert.deepEqual([all?.subString, all?.tagsSet, all?.codeSet], ['*', [], []])
  const sql = subscriptionData({ topic: 'T', expression: "a = 'x'", type: 'SQL92', subVersion: 1 })
  assert.deepEqual([sql?.subString, sql?.expressionType, sql?.codeSet], ["a = 'x'", 'SQL92', []])
  assert.equal(subscriptionData({ topic: 'T', expression: '', type: 'SQL92', subVersion: 1 }), undefined)
  assert.equal(subscriptionData({ topic: 'T', expression: '||', subVersion: 1 }), undefined)
})
