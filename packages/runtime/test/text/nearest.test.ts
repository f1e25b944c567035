import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearest } from '../../src/text/nearest.ts'

test('an edit is an insertion, a removal, a replacement or a swap of neighbours', () => {
  assert.equal(editDistance('', ''), 0)
  assert.equal(editDistance('', 'abc'), 3)
  assert.equal(editDistance('kitten', 'sitting'), 3)
  assert.equal(editDistance('listenPort', 'listnePort'), 1)
  assert.equal(editDistance('listenPort', 'listenport'), 0)
  assert.equal(editDistance('ab', 'b'), editDistance('b', 'ab'))
})

test('the nearest key is found for a typo, a wrong case and a missing letter', () => {
  const keys = ['listenPort', 'haListenPort', 'brokerName', 'brokerId', 'fileReservedTime']
  assert.equal(nearest('lisenPort', keys), 'listenPort')
  assert.equal(nearest('BROKERNAME', keys), 'brokerName')
  assert.equal(nearest('fileReserveTimes', keys), 'fileReservedTime')
})

test('a word that resembles nothing has no nearest key', () => {
  assert.equal(nearest('compression', ['listenPort', 'brokerName']), undefined)
  assert.equal(nearest('xy', ['ab']), undefined)
  assert.equal(nearest('anything', []), undefined)
})
