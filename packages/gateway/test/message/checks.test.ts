import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf } from '@skua-mq/runtime'
import { checkMessage, groupOf, topicOf } from '../../src/message/checks.ts'
import { gatewayOptions } from '../../src/options.ts'
import { Refused } from '../../src/refused.ts'
import { Code } from '../../src/v2/code.ts'
import { Message, type MessageDraft } from '../../src/v2/shared.ts'

const config = configOf(gatewayOptions, { maxMessageSize: 100, maxUserPropertySize: 200, userPropertyMaxNum: 3 })
const nowMs = 1_000_000
const sound: MessageDraft = { topic: { name: 'T' }, systemProperties: { messageId: 'id' }, body: Buffer.from('b') }

function codeOf(changes: MessageDraft): number {
  try {
    checkMessage(Message.decode(Message.encode({ ...sound, ...changes })), config, nowMs)
    return Code.ok
  } catch (error) {
    assert.ok(error instanceof Refused, String(error))
    return error.code
  }
}
const system = (more: NonNullable<MessageDraft['systemProperties']>): MessageDraft => ({
  systemProperties: { messageId: 'id', ...more },
})

const cases: readonly [string, MessageDraft, number][] = [
  ['a sound one', {}, Code.ok],
  ['no body', { body: Buffer.alloc(0) }, Code.messageBodyEmpty],
  ['a body of the limit', { body: Buffer.alloc(100) }, Code.ok],
  ['a body above it', { body: Buffer.alloc(101) }, Code.messageBodyTooLarge],
  [
    'too many properties',
    { userProperties: new Map(['a', 'b', 'c', 'd'].map(k => [k, k])) },
    Code.messagePropertiesTooLarge,
  ],
  [
    'properties that are too long',
    { userProperties: new Map([['a', 'x'.repeat(200)]]) },
    Code.messagePropertiesTooLarge,
  ],
  ['a reserved name', { userProperties: new Map([['TAGS', 'x']]) }, Code.illegalMessagePropertyKey],
  ['a control character', { userProperties: new Map([['a', 'x\u0001y']]) }, Code.illegalMessagePropertyKey],
  ['a blank tag', system({ tag: ' ' }), Code.illegalMessageTag],
  ['a tag with |', system({ tag: 'a|b' }), Code.illegalMessageTag],
  ['a blank key', system({ keys: ['a', ''] }), Code.illegalMessageKey],
  ['no id', { systemProperties: { messageId: ' ' } }, Code.illegalMessageId],
  [
    'a recovery time that is too long',
    system({ orphanedTransactionRecoveryDuration: { seconds: 3601 } }),
    Code.badRequest,
  ],
  ['a time more than a day ahead', system({ deliveryTimestamp: { seconds: 87_402 } }), Code.illegalDeliveryTime],
  ['a time in the past', system({ deliveryTimestamp: { seconds: 1 } }), Code.ok],
  ['a group of 63', system({ messageGroup: 'g'.repeat(63) }), Code.ok],
  ['a group of 64', system({ messageGroup: 'g'.repeat(64) }), Code.illegalMessageGroup],
  ['a blank group', system({ messageGroup: ' ' }), Code.illegalMessageGroup],
]
for (const [what, changes, code] of cases)
  test(`a message with ${what}: ${code}`, () => assert.equal(codeOf(changes), code))

test('names that no topic and no group may have', () => {
  for (const name of [undefined, '', ' ', 'a b', 'ä', 'T'.repeat(128), 'TBW102', 'rmq_sys_x'])
    assert.throws(() => topicOf(name === undefined ? undefined : { name }), { code: Code.illegalTopic })
  for (const name of ['', 'a b', 'g'.repeat(256)])
    assert.throws(() => groupOf({ name }), { code: Code.illegalConsumerGroup })
  assert.equal(topicOf({ name: '%RETRY%G-1_a' }), '%RETRY%G-1_a')
})
