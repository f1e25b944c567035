import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredMessage } from '@skua-mq/protocol'
import { fateOf } from '../../src/transaction/half-fate.ts'

const settings = { transactionTimeOut: 6000, transactionCheckMax: 15, retentionMs: 3_600_000 }

function fate(ageMs: number, properties: Record<string, string> = {}, isDecided = false, storedAgoMs = ageMs) {
  const nowMs = 10_000_000
  const message = {
    bornTimestamp: nowMs - ageMs,
    storeTimestamp: nowMs - storedAgoMs,
    properties: new Map(Object.entries(properties)),
  } as StoredMessage
  return fateOf(message, { nowMs, settings, isDecided })
}

test('a young half message ends the round, an old one is asked about', () => {
  assert.equal(fate(5999), 'stop')
  assert.equal(fate(6000), 'ask')
})

test('a store time that lies ahead changes nothing: the clock was wrong once', () => {
  assert.equal(fate(60_000, {}, false, -3_600_000), 'ask')
  assert.equal(fate(5999, {}, false, -3_600_000), 'stop')
})

test('a producer whose clock is ahead is asked', () => {
  assert.equal(fate(-5, {}, false, 10), 'ask')
})

test('an immunity of its own is longer or shorter than the common one', () => {
  assert.equal(fate(59_999, { CHECK_IMMUNITY_TIME_IN_SECONDS: '60' }), 'keep')
  assert.equal(fate(60_000, { CHECK_IMMUNITY_TIME_IN_SECONDS: '60' }), 'ask')
  assert.equal(fate(1000, { CHECK_IMMUNITY_TIME_IN_SECONDS: '1' }), 'ask')
  for (const none of ['-1', 'x']) assert.equal(fate(1000, { CHECK_IMMUNITY_TIME_IN_SECONDS: none }), 'stop')
})

test('asked often enough, or older than retention, it is given up', () => {
  assert.equal(fate(60_000, { TRANSACTION_CHECK_TIMES: '14' }), 'ask')
  assert.equal(fate(60_000, { TRANSACTION_CHECK_TIMES: '15' }), 'discard')
  assert.equal(fate(3_600_001), 'discard')
  assert.equal(fate(3_600_001, {}, false, 100), 'ask')
})

test('a copy is decided when the first one is', () => {
  assert.equal(fate(60_000, { TRAN_PREPARED_QUEUE_OFFSET: '3' }, true), 'decided')
  assert.equal(fate(60_000, { TRAN_PREPARED_QUEUE_OFFSET: '3', TRANSACTION_CHECK_TIMES: '15' }, true), 'decided')
  assert.equal(fate(60_000, { TRAN_PREPARED_QUEUE_OFFSET: '3' }), 'ask')
})
