import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { compressRegisterBody, type RegisterBrokerBody, registerBrokerBody, type TopicConfig } from '../../src/index.ts'

const topic = {
  topicName: 'TopicA',
  readQueueNums: 4,
  writeQueueNums: 8,
  perm: 6,
  topicFilterType: 'SINGLE_TAG' as const,
  topicSysFlag: 0,
  order: false,
}
const sample: RegisterBrokerBody = {
  filterServerList: ['h:1'],
  topicConfigSerializeWrapper: {
    dataVersion: { counter: 3, timestamp: 1700000000000 },
    topicConfigTable: new Map<string, TopicConfig>([
      ['TopicA', topic],
      ['TopicB', { ...topic, topicName: 'TopicB', attributes: new Map([['message.type', 'a b']]) }],
    ]),
  },
}

test('the plain and the compressed form are told apart and read alike', () => {
  assert.deepEqual(registerBrokerBody.decode(registerBrokerBody.encode(sample)), sample)
  assert.deepEqual(registerBrokerBody.decode(compressRegisterBody(sample)), sample)
})

test('the topic table alone, of brokers before 3.0.11, is read', () => {
  const old = '{"dataVersion":{"counter":1,"timestamp":2},"topicConfigTable":{"T":{"topicName":"T"}}}'
  const read = registerBrokerBody.decode(Buffer.from(old))
  assert.deepEqual(read.filterServerList, [])
  assert.equal(read.topicConfigSerializeWrapper.dataVersion.counter, 1)
  assert.deepEqual([...read.topicConfigSerializeWrapper.topicConfigTable.keys()], ['T'])
})

const counted = (text: string) => Buffer.concat([int(text.length), Buffer.from(text)])
function int(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

test('the compressed form of remoting.md 16 is read, with what 5.x appends', () => {
  const bytes = deflateSync(
    Buffer.concat([
      counted('{"counter":3,"stateVersion":0,"timestamp":5}'),
      int(1),
      counted('TopicA 4 8 6 SINGLE_TAG {"message.type":"FIFO"}'),
      counted('[]'),
      int(1),
      counted('{"bname":"b1"}'),
    ]),
  )
  assert.deepEqual(registerBrokerBody.decode(bytes), {
    filterServerList: [],
    topicConfigSerializeWrapper: {
      dataVersion: { counter: 3, stateVersion: 0, timestamp: 5 },
      topicConfigTable: new Map([['TopicA', { ...topic, attributes: new Map([['message.type', 'FIFO']]) }]]),
    },
  })
})

test('a compressed body that is cut short, inside or outside, is a RangeError', () => {
  const whole = Buffer.concat([counted('{"counter":3,"timestamp":5}'), int(1), counted('TopicA 4 8 6 SINGLE_TAG')])
  for (let cut = 0; cut < whole.length; cut++) {
    assert.throws(() => registerBrokerBody.decode(deflateSync(whole.subarray(0, cut))), RangeError, `${cut}`)
  }
  const packed = compressRegisterBody(sample)
  for (let cut = 1; cut < packed.length; cut++) {
    assert.throws(() => registerBrokerBody.decode(packed.subarray(0, cut)), RangeError)
  }
})

test('a body that inflates beyond the limit is refused', () => {
  const bomb = deflateSync(Buffer.alloc(65 * 1024 * 1024))
  assert.throws(() => registerBrokerBody.decode(bomb), /does not inflate/)
})
