import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineOf } from '../src/command/log.ts'

test('what a peer chooses stays within its line', () => {
  const group = 'g\nERROR disk is full: path=/\u001b[2J'
  const line = lineOf({ level: 'warn', name: 'consumer offset moved back', fields: { group, from: 7 } })
  assert.equal(line, 'WARN consumer offset moved back: group=g\\u000aERROR disk is full: path=/\\u001b[2J from=7')
})
