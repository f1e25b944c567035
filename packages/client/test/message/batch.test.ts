import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StoredMessage, SysFlag } from '@skua-mq/protocol'
import { batchDraft, encodeBatch, splitBySize, unpackInnerBatch } from '../../src/message/batch.ts'
import type { Message } from '../../src/message/message.ts'
import { draftOf, makeHalf } from '../../src/message/outgoing.ts'

const rules = { namespace: '', maxMessageSize: 1000, newId: () => 'ID' }
const draft = (message: Partial<Message> = {}) =>
  draftOf({ topic: 'T', body: 'x', ...message }, Buffer.from(String(message.body ?? 'x')), rules)

test('a batch is the bytes of the vectors page', () => {
  const bytes = encodeBatch([
    {
      body: Buffer.from('hello'),
      flag: 0,
      properties: new Map([
        ['WAIT', 'true'],
        ['TAGS', 'TagA'],
      ]),
    },
    { body: Buffer.from('wo'), flag: 0, properties: new Map([['WAIT', 'true']]) },
  ])
  assert.equal(
    bytes.toString('hex'),
    '0000002e0000000000000000000000000000000568656c6c6f0013574149540174727565025441475301546167410000002100000000000000000000000000000002776f0009574149540174727565',
  )
})

test('messages are split so that no send is larger than the limit', () => {
  const drafts = Array.from({ length: 10 }, () => draft({ body: 'y'.repeat(100) }))
  const groups = splitBySize(drafts, 500)
  assert.equal(groups.flat().length, 10)
  assert.ok(groups.length > 1)
  for (const group of groups) assert.ok(encodeBatch(group).length <= 500)
  assert.equal(splitBySize([draft({ body: 'z'.repeat(900) })], 500).length, 1)
})

test('messages that cannot go together are refused', () => {
  assert.throws(() => batchDraft([draft(), draft({ topic: 'U' })]), /topics differ/)
  assert.throws(() => batchDraft([draft(), draft({ waitStoreMsgOk: false })]), /waitStoreMsgOk/)
  assert.throws(() => batchDraft([draft({ delayLevel: 1 })]), /delayed/)
  assert.throws(() => batchDraft([draft({ topic: '%RETRY%g' })]), /retry/)
})

test('an inner batch of 5.x is unpacked, with an offset for each message', () => {
  const body = encodeBatch([draft({ body: 'one', tag: 'A' }), draft({ body: 'two' })])
  const stored = { sysFlag: SysFlag.needUnwrap | SysFlag.innerBatch, body, queueOffset: 40 } as unknown as StoredMessage
  const messages = unpackInnerBatch(stored)
  assert.deepEqual(
    messages.map(message => Buffer.from(message.body).toString()),
    ['one', 'two'],
  )
  assert.deepEqual(
    messages.map(message => message.queueOffset),
    [40, 41],
  )
  assert.equal(messages[0]!.properties.get('TAGS'), 'A')
})

test('what cannot be sent is refused before anything is sent', () => {
  const refused: Partial<Message>[] = [
    { properties: { UNIQ_KEY: 'x' } },
    { properties: { a: ' ' } },
    { properties: { a: 'x\u0001y' } },
    { delayLevel: 1, delayMs: 5 },
    { delayLevel: -1 },
    { body: 'x'.repeat(1001) },
  ]
  for (const message of refused) assert.throws(() => draft(message), { code: 'ARGUMENT' })
  assert.throws(() => draftOf({ topic: 'T', body: '' }, Buffer.alloc(0), rules), /empty/)
})

test('a half message names its group', () => {
  const half = draft({})
  makeHalf(half, 'pg')
  assert.equal(half.sysFlag, 4)
  assert.deepEqual([half.properties.get('TRAN_MSG'), half.properties.get('PGROUP')], ['true', 'pg'])
})
