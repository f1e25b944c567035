import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PropertyName } from '@skua-mq/protocol'
import type { Message } from '../../src/message/message.ts'
import { draftOf, makeHalf } from '../../src/message/outgoing.ts'

const rules = { namespace: '', maxMessageSize: 1000, newId: () => 'ID' }
const draft = (message: Partial<Message<unknown>> = {}, changes: Partial<typeof rules> = {}) =>
  draftOf({ topic: 'T', body: 'x', ...message }, Buffer.from('x'), { ...rules, ...changes })
const property = (message: Partial<Message<unknown>>, name: string) => draft(message).properties.get(name)

describe('a draft', () => {
  test('has a unique id, and waits for the store where nothing else is said', () => {
    const { msgId, properties, flag, sysFlag, batch } = draft()
    assert.deepEqual([msgId, flag, sysFlag, batch], ['ID', 0, 0, false])
    assert.deepEqual(Object.fromEntries(properties), { WAIT: 'true', UNIQ_KEY: 'ID' })
    assert.equal(property({ waitStoreMsgOk: false }, 'WAIT'), 'false')
  })

  test('carries tag, keys, flag and properties', () => {
    const { properties, flag } = draft({ tag: 'A', keys: ['k1', 'k2'], flag: -7, properties: { own: 'v' } })
    assert.deepEqual(
      [properties.get('TAGS'), properties.get('KEYS'), properties.get('own'), flag],
      ['A', 'k1 k2', 'v', -7],
    )
    assert.equal(property({ keys: 'one' }, 'KEYS'), 'one')
    assert.deepEqual([property({ tag: '' }, 'TAGS'), property({ keys: [] }, 'KEYS')], [undefined, undefined])
  })

  test('is named after its namespace, which consumers in Java want to know', () => {
    const { topic, properties } = draft({}, { namespace: 'ns' })
    assert.deepEqual([topic, properties.get(PropertyName.instanceId)], ['ns%T', 'ns'])
  })

  test('says when it is to be delivered', () => {
    assert.equal(property({ delayLevel: 3 }, 'DELAY'), '3')
    assert.equal(property({ delayMs: 1500 }, 'TIMER_DELAY_MS'), '1500')
    assert.equal(property({ deliverAtMs: 1_700_000_000_000 }, 'TIMER_DELIVER_MS'), '1700000000000')
    assert.equal(property({ checkImmunityTimeInSeconds: 60 }, 'CHECK_IMMUNITY_TIME_IN_SECONDS'), '60')
  })
})

describe('a message is refused', () => {
  const cases: [string, Partial<Message<unknown>>, RegExp][] = [
    ['with two times', { delayLevel: 1, delayMs: 1 }, /one of delayLevel, delayMs and deliverAtMs/],
    ['with a delay below nothing', { delayMs: -1 }, /delayMs must be a whole number: -1/],
    ['with half a level', { delayLevel: 1.5 }, /delayLevel must be a whole number/],
    ['with a time that is none', { deliverAtMs: Number.NaN }, /must be a whole number: NaN/],
    ['with a property of RocketMQ', { properties: { UNIQ_KEY: 'x' } }, /UNIQ_KEY has a meaning of its own/],
    ['with a blank name', { properties: { ' ': 'x' } }, /neither name nor value may be blank/],
    ['with a blank value', { properties: { a: ' ' } }, /neither name nor value may be blank/],
    ['with a number as value', { properties: { a: 5 as never } }, /property "a" must be a text: number 5/],
    ['with null as value', { properties: { a: null as never } }, /must be a text: null/],
    ['with an object as tag', { tag: {} as never }, /tag must be a text: an object/],
    ['with a number as key', { keys: 7 as never }, /keys must be a text: number 7/],
    ['with a separator in a value', { properties: { a: 'x\u0001y' } }, /holds the characters/],
    ['with a separator in a name', { properties: { 'a\u0002': 'x' } }, /holds the characters/],
    ['with a separator in a tag', { tag: 'x\u0002' }, /holds the characters/],
    ['with a flag of more than 32 bits', { flag: 2 ** 31 }, /flag must be a whole number of 32 bits/],
    ['with half a flag', { flag: 0.5 }, /32 bits/],
    ['with a topic that is none', { topic: 'a b' }, /is no topic name/],
    ['with a topic of brokers', { topic: 'RMQ_SYS_TRANS_HALF_TOPIC' }, /only brokers write/],
  ]
  for (const [title, message, expected] of cases)
    test(title, () => {
      assert.throws(() => draft(message), { code: 'ARGUMENT', message: expected })
    })

  test('without a body, or with one that is too long', () => {
    assert.throws(() => draftOf({ topic: 'T', body: '' }, Buffer.alloc(0), rules), /the body is empty/)
    draftOf({ topic: 'T', body: '' }, Buffer.alloc(1000), rules)
    assert.throws(
      () => draftOf({ topic: 'T', body: '' }, Buffer.alloc(1001), rules),
      /1001 bytes, and maxMessageSize is 1000/,
    )
  })
})

test('a half message is marked, and takes no delay level', () => {
  assert.throws(() => makeHalf(draft({ delayLevel: 3 }), 'pg'), { code: 'ARGUMENT', message: /takes no delayLevel/ })
  const half = draft({ delayMs: 3 })
  makeHalf(half, 'pg')
  assert.deepEqual(
    [
      half.properties.get('TRAN_MSG'),
      half.properties.get('PGROUP'),
      half.properties.get('TIMER_DELAY_MS'),
      half.sysFlag,
    ],
    ['true', 'pg', '3', 4],
  )
})
