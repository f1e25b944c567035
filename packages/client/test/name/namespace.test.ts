import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkGroup, checkSendTopic } from '../../src/name/names.ts'
import { namespaceOfAddress, unwrapName, wrapName } from '../../src/name/namespace.ts'

test('names are wrapped once, behind the prefix of retry and dead letter topics', () => {
  assert.equal(wrapName('ns', 'T'), 'ns%T')
  assert.equal(wrapName('ns', 'ns%T'), 'ns%T')
  assert.equal(wrapName('ns', '%RETRY%g'), '%RETRY%ns%g')
  assert.equal(wrapName('ns', '%DLQ%ns%g'), '%DLQ%ns%g')
  assert.equal(wrapName('', 'T'), 'T')
})

test('system topics and groups are not wrapped', () => {
  for (const name of ['TBW102', 'RMQ_SYS_TRACE_TOPIC', 'rmq_sys_TRACE_DATA_x', 'CID_RMQ_SYS_TRANS']) {
    assert.equal(wrapName('ns', name), name)
  }
})

test('unwrapping undoes wrapping', () => {
  for (const name of ['T', '%RETRY%g', '%DLQ%g']) assert.equal(unwrapName('ns', wrapName('ns', name)), name)
  assert.equal(unwrapName('ns', 'other%T'), 'other%T')
})

test("a cloud's name server address carries the namespace", () => {
  assert.equal(namespaceOfAddress('http://MQ_INST_123_abc.mq.example.com:80'), 'MQ_INST_123_abc')
  assert.equal(namespaceOfAddress('10.0.0.1:9876'), undefined)
})

test('names that cannot be are refused, with a reason', () => {
  assert.throws(() => checkSendTopic('a b'), { code: 'ARGUMENT' })
  assert.throws(() => checkSendTopic(''), { code: 'ARGUMENT' })
  assert.throws(() => checkSendTopic('x'.repeat(128)), /128 characters/)
  assert.throws(() => checkSendTopic('SCHEDULE_TOPIC_XXXX'), /only brokers/)
  assert.throws(() => checkGroup('DEFAULT_PRODUCER', 'DEFAULT_PRODUCER'), /reserved/)
})
