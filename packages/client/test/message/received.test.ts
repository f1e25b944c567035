import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { decodeRecords, SysFlag } from '@skua-mq/protocol'
import { encodeBatch } from '../../src/message/batch.ts'
import {
  type ReceivedMessage,
  type ReceiveRules,
  receivedMessage,
  receivedMessages,
} from '../../src/message/received.ts'
import { record, records } from '../records.ts'

const queue = { topic: 'T', brokerName: 'b', queueId: 3 }

function read(bytes: Buffer, rules: Partial<ReceiveRules> = {}) {
  const unreadable: string[] = []
  const messages = receivedMessages(bytes, queue, {
    namespace: '',
    unreadable: (stored, error) => unreadable.push(`${stored.queueOffset}: ${(error as Error).message}`),
    ...rules,
  })
  return { messages, unreadable }
}

const stored = (bytes: Buffer) => [...decodeRecords(bytes)][0]!

describe('a received message', () => {
  test('has what the sender gave, and where it lies', () => {
    const bytes = record({
      queueOffset: 7,
      body: 'hello',
      flag: 5,
      storedAtMs: 1_700_000_000_123,
      bornAtMs: 1_700_000_000_100,
      physicalOffset: 4711,
      reconsumeTimes: 2,
      preparedTransactionOffset: 99,
      properties: { TAGS: 'A', KEYS: 'k1 k2', own: 'x' },
    })
    const [message] = read(bytes).messages as [ReceivedMessage]
    assert.deepEqual(
      [message.topic, message.text(), message.tag, message.keys, message.properties.get('own')],
      ['T', 'hello', 'A', ['k1', 'k2'], 'x'],
    )
    assert.deepEqual(
      [message.queue, message.queueOffset, message.physicalOffset, message.flag, message.storeSize],
      [queue, 7, 4711, 5, bytes.length],
    )
    assert.deepEqual(
      [message.storedAtMs, message.bornAtMs, message.reconsumeTimes, message.preparedTransactionOffset],
      [1_700_000_000_123, 1_700_000_000_100, 2, 99],
    )
    assert.deepEqual([message.bornHost, message.storeHost], ['10.0.0.9:10911', '10.0.0.9:10911'])
    assert.equal(message.value, undefined)
  })

  test('has the sender’s id, and where there is none the offset id', () => {
    const [own] = read(record({ queueOffset: 1 })).messages as [ReceivedMessage]
    assert.equal(own.msgId, 'ID1')
    assert.notEqual(own.offsetMsgId, own.msgId)
    const [none] = read(record({ queueOffset: 1, properties: { UNIQ_KEY: '' } })).messages as [ReceivedMessage]
    assert.equal(none.msgId, none.offsetMsgId)
  })

  test('has a transaction id: the broker’s, else the sender’s', () => {
    const [plain] = read(record({ queueOffset: 1 })).messages as [ReceivedMessage]
    assert.equal(plain.transactionId, 'ID1')
    const [given] = read(record({ queueOffset: 1, properties: { __transactionId__: 'tx' } })).messages as [
      ReceivedMessage,
    ]
    assert.equal(given.transactionId, 'tx')
  })

  test('without tag and keys says so', () => {
    const [message] = read(record({ queueOffset: 1 })).messages as [ReceivedMessage]
    assert.deepEqual([message.tag, message.keys], [undefined, []])
  })

  test('reads its body as JSON, and throws where it is none', () => {
    const [good, bad] = read(
      Buffer.concat([record({ queueOffset: 1, body: '{"a":[1]}' }), record({ queueOffset: 2, body: '{' })]),
    ).messages as [ReceivedMessage, ReceivedMessage]
    assert.deepEqual(good.json(), { a: [1] })
    assert.throws(() => bad.json(), SyntaxError)
  })
})

describe('the messages of an answer', () => {
  test('come in their order, with their offsets', () => {
    assert.deepEqual(
      read(records(5, 9)).messages.map(({ queueOffset, msgId }) => [queueOffset, msgId]),
      [
        [5, 'ID5'],
        [6, 'ID6'],
        [7, 'ID7'],
        [8, 'ID8'],
      ],
    )
    assert.deepEqual(read(Buffer.alloc(0)).messages, [])
  })

  test('of a static topic have the offsets of the topic', () => {
    assert.deepEqual(
      read(records(5, 7), { offsetDelta: 1000 }).messages.map(message => message.queueOffset),
      [1005, 1006],
    )
  })

  test('that are compressed are read; what cannot be read is told, and the others come', () => {
    const body = deflateSync(Buffer.from('long '.repeat(100)))
    const zlib = SysFlag.compressed
    const bytes = Buffer.concat([
      record({ queueOffset: 1, body, sysFlag: zlib }),
      record({ queueOffset: 2, body: Buffer.from('no zlib'), sysFlag: zlib }),
      record({ queueOffset: 3 }),
    ])
    const { messages, unreadable } = read(bytes)
    assert.deepEqual(
      messages.map(({ queueOffset, body }) => [queueOffset, body.length]),
      [
        [1, 500],
        [3, 1],
      ],
    )
    assert.equal(unreadable.length, 1)
    assert.match(unreadable[0]!, /^2: the compressed body cannot be read/)
  })

  test('in an inner batch are one each; a batch that is cut is told', () => {
    const one = { flag: 0, properties: new Map([['UNIQ_KEY', 'a']]) }
    const body = encodeBatch([
      { ...one, body: Buffer.from('x') },
      { ...one, body: Buffer.from('y'), properties: new Map([['UNIQ_KEY', 'b']]) },
    ])
    const sysFlag = SysFlag.needUnwrap | SysFlag.innerBatch
    const whole = read(record({ queueOffset: 10, body, sysFlag }))
    assert.deepEqual(
      whole.messages.map(({ msgId, queueOffset }) => [msgId, queueOffset]),
      [
        ['a', 10],
        ['b', 11],
      ],
    )
    const broken: [string, (batch: Buffer) => unknown][] = [
      ['is cut', batch => batch.subarray(0, 30)],
      ['is cut in its last message', batch => batch.subarray(0, batch.length - 1)],
      ['says a size of 0', batch => batch.writeInt32BE(0, 0)],
      ['says a size below 0', batch => batch.writeInt32BE(-40, 0)],
      ['has a body below 0', batch => batch.writeInt32BE(-1, 16)],
      ['has a body that is too long', batch => batch.writeInt32BE(1_000_000, 16)],
      ['has properties that are too long', batch => batch.writeInt16BE(3000, 21)],
      ['has properties that are too short', batch => batch.writeInt16BE(1, 21)],
    ]
    for (const [title, change] of broken) {
      const copy = Buffer.from(body)
      const changed = change(copy)
      const found = read(record({ queueOffset: 10, body: changed instanceof Uint8Array ? changed : copy, sysFlag }))
      assert.deepEqual([found.messages.length, found.unreadable.length], [0, 1], title)
    }
  })
})

describe('the topic of a message', () => {
  const topicOf = (topic: string, properties: Record<string, string>, rules: { namespace: string; group?: string }) =>
    receivedMessage(stored(record({ topic, queueOffset: 1, properties })), queue, rules).topic

  test('is the original one where it came back to the own group', () => {
    assert.equal(topicOf('%RETRY%g', { RETRY_TOPIC: 'T' }, { namespace: '', group: 'g' }), 'T')
    assert.equal(topicOf('%RETRY%other', { RETRY_TOPIC: 'T' }, { namespace: '', group: 'g' }), '%RETRY%other')
    assert.equal(topicOf('%RETRY%g', {}, { namespace: '', group: 'g' }), '%RETRY%g')
    assert.equal(topicOf('T', { RETRY_TOPIC: 'U' }, { namespace: '', group: 'g' }), 'T')
  })

  test('is the original one of any retry topic where no group is known', () => {
    assert.equal(topicOf('%RETRY%g', { RETRY_TOPIC: 'T' }, { namespace: '' }), 'T')
  })

  test('has no namespace, before and behind a retry', () => {
    assert.equal(topicOf('ns%T', {}, { namespace: 'ns', group: 'ns%g' }), 'T')
    assert.equal(topicOf('%RETRY%ns%g', { RETRY_TOPIC: 'ns%T' }, { namespace: 'ns', group: 'ns%g' }), 'T')
    assert.equal(topicOf('other%T', {}, { namespace: 'ns', group: 'ns%g' }), 'other%T')
  })
})
