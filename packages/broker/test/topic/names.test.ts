import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf, isSystemTopic } from '@skua-mq/protocol'
import { illegalGroupName, illegalTopicName, refusedTopic } from '../../src/topic/names.ts'

const short = { autoMessageVersionOnTopicLen: false }

test('names are made of % | letters, digits, _ and -', () => {
  for (const name of ['a', 'Topic_1-x', '%RETRY%g', 'ns%t|x']) assert.equal(illegalTopicName(name), undefined, name)
  for (const name of ['', '  ', 'a b', 'a.b', 'a/b', 'ü', 'a\n', 'a#']) assert.ok(illegalTopicName(name), name)
  for (const name of ['', ' ', 'g.1', 'g g']) assert.ok(illegalGroupName(name), name)
})

test('a topic has at most 127 characters, a retry or dead letter topic 255, a group 255', () => {
  assert.equal(illegalTopicName('x'.repeat(127)), undefined)
  assert.match(illegalTopicName('x'.repeat(128)) ?? '', /128 characters, at most 127/)
  for (const prefix of ['%RETRY%', '%DLQ%']) {
    assert.equal(illegalTopicName(prefix.padEnd(255, 'x')), undefined)
    assert.ok(illegalTopicName(prefix.padEnd(256, 'x')))
  }
  assert.equal(illegalGroupName('x'.repeat(255)), undefined)
  assert.ok(illegalGroupName('x'.repeat(256)))
})

test("nobody sends to the broker's own topics; their names are system names", () => {
  for (const topic of [
    'SCHEDULE_TOPIC_XXXX',
    'RMQ_SYS_TRANS_HALF_TOPIC',
    'TRANS_CHECK_MAX_TIME_TOPIC',
    'SELF_TEST_TOPIC',
  ]) {
    assert.match(refusedTopic(topic, dialectOf(), short)?.remark ?? '', /forbidden/)
    assert.ok(isSystemTopic(topic))
  }
  assert.equal(refusedTopic('BenchmarkTest', dialectOf(), short), undefined)
  for (const topic of ['BenchmarkTest', 'TBW102', 'RMQ_SYS_TRACE_TOPIC', 'rmq_sys_anything'])
    assert.ok(isSystemTopic(topic))
  assert.equal(isSystemTopic('orders'), false)
})

test('retry and dead letter topics above 127 bytes have messages only where records of the form V2 are written', () => {
  for (const prefix of ['%RETRY%', '%DLQ%']) {
    const [v1, v2, none] = [127, 255, 256].map(length => prefix.padEnd(length, 'g')) as [string, string, string]
    const code = (topic: string, autoMessageVersionOnTopicLen: boolean) =>
      refusedTopic(topic, dialectOf(), { autoMessageVersionOnTopicLen })?.code
    assert.deepEqual([code(v1, false), code(v2, false), code(none, false)], [undefined, 13, 1])
    assert.deepEqual([code(v1, true), code(v2, true), code(none, true)], [undefined, undefined, 1])
  }
  assert.equal(refusedTopic('t'.repeat(128), dialectOf(), { autoMessageVersionOnTopicLen: true })?.code, 1)
})
