import assert from 'node:assert/strict'
import { test } from 'node:test'
import { languageName, languageNumber } from '../src/index.ts'

test('languages have the numbers of remoting.md 3.1', () => {
  assert.equal(languageName(0), 'JAVA')
  assert.equal(languageNumber('GO'), 9)
  assert.equal(languageNumber('NODE_JS'), 13)
  assert.equal(languageName(14), undefined)
  assert.equal(languageNumber('toString'), undefined)
})
