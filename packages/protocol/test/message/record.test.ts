import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import fc from 'fast-check'
import {
  checkRecord,
  decodeRecords,
  draftRecord,
  encodeHost,
  isPropertyText,
  printProperties,
  type RecordDraft,
  RecordLayout,
  readRecord,
  recordSize,
  topicOf,
  writeBlankRecord,
  writeRecord,
} from '../../src/message/index.ts'

const host = (address: string, port: number) => encodeHost(address, port) as Buffer

/** The message of the vectors as 4.9.8 encodes it. */
const recorded =
  '0000006fdaa320a73610a6860000000300000000000000000000000500000000075bcd15000000000000018bcfe568007f0000010000d4310000018bcfe568017f00000100002a9f0000000000000000000000000000000568656c6c6f06546f706963410009544147530154616741'
const recordedDraft = draftRecord({
  queueId: 3,
  queueOffset: 5,
  physicalOffset: 123456789,
  bornTimestamp: 1700000000000,
  bornHost: host('127.0.0.1', 54321),
  storeTimestamp: 1700000000001,
  storeHost: host('127.0.0.1', 10911),
  topic: Buffer.from('TopicA'),
  body: Buffer.from('hello'),
  properties: Buffer.from('TAGS\u0001TagA'),
})

const java = JSON.parse(readFileSync(new URL('../fixtures/java-records.json', import.meta.url), 'utf8')) as {
  v2: string
  v2_with_prop_crc: string
}
const v2 = Buffer.from(java.v2, 'hex')
const v2Crc = Buffer.from(java.v2_with_prop_crc, 'hex')

function write(draft: RecordDraft): Buffer {
  const bytes = Buffer.alloc(recordSize(draft))
  assert.equal(writeRecord(bytes, 0, draft), bytes.length)
  return bytes
}

const check = (bytes: Uint8Array, verify: 'none' | 'body' | 'property' = 'body', end = bytes.length) => {
  const layout = new RecordLayout()
  return { state: checkRecord(bytes, 0, { end, verify, layout }), size: layout.size }
}

test('a record is written byte for byte as Java writes it', () => {
  assert.equal(write(recordedDraft).toString('hex'), recorded)
})

test("Java's record reads as what it was made from", () => {
  const read = readRecord(Buffer.from(recorded, 'hex'))
  assert.ok(read)
  const { body, properties, ...rest } = read.message
  assert.equal(Buffer.from(body).toString(), 'hello')
  assert.deepEqual([...properties], [['TAGS', 'TagA']])
  assert.deepEqual(rest, {
    storeSize: 111,
    bodyCrc: 907060870,
    queueId: 3,
    flag: 0,
    queueOffset: 5,
    physicalOffset: 123456789,
    sysFlag: 0,
    bornTimestamp: 1700000000000,
    bornHost: { address: '127.0.0.1', port: 54321 },
    storeTimestamp: 1700000000001,
    storeHost: { address: '127.0.0.1', port: 10911 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    topic: 'TopicA',
    offsetMsgId: '7F00000100002A9F00000000075BCD15',
  })
})

test('a long topic and an IPv6 host make the V2 record that 5.3.3 makes', () => {
  const topic = `%RETRY%${'g'.repeat(140)}_t`
  const draft = draftRecord({
    queueId: 3,
    flag: 5,
    queueOffset: 9,
    bornTimestamp: 1700000000001,
    bornHost: host('2001:db8::1', 1234),
    storeTimestamp: 1700000000002,
    storeHost: host('10.1.2.3', 10911),
    reconsumeTimes: 1,
    topic: Buffer.from(topic),
    body: Buffer.from('v2 body'),
    properties: Buffer.from('KEYS\u0001k1 k2\u0002TAGS\u0001A\u0002'),
  })
  assert.equal(write(draft).toString('hex'), java.v2)
  const read = readRecord(v2)
  assert.equal(read?.message.topic, topic)
  assert.deepEqual(read?.message.bornHost, { address: '2001:db8::1', port: 1234 })
})

test('the CRC property is verified when asked for, and missing is wrong', () => {
  assert.deepEqual(check(v2Crc, 'property'), { state: 'record', size: v2Crc.length })
  assert.equal(check(v2, 'property').state, 'stop')
  for (let i = 12; i < v2Crc.length - 20; i++) {
    const damaged = Buffer.from(v2Crc)
    damaged[i]! ^= 1
    assert.notEqual(check(damaged, 'property').state, 'record', `byte ${i}`)
  }
})

test('a damaged body stops the check, unless it is not verified', () => {
  const damaged = Buffer.from(recorded, 'hex')
  damaged[90]! ^= 0x20
  assert.equal(check(damaged).state, 'stop')
  assert.equal(check(damaged, 'none').state, 'record')
  assert.equal(readRecord(damaged, 0, { verifyCrc: true }), undefined)
})

test('a size that the parts contradict is told apart from a torn record', () => {
  const bytes = Buffer.concat([Buffer.from(recorded, 'hex'), Buffer.alloc(9)])
  bytes.writeInt32BE(113, 0)
  assert.deepEqual(check(bytes), { state: 'badLength', size: 113 })
  bytes.writeInt32BE(bytes.length + 1, 0)
  assert.equal(check(bytes).state, 'stop')
})

test('a blank record says how much of the segment is left', () => {
  const bytes = Buffer.alloc(64)
  assert.equal(writeBlankRecord(bytes, 0, 4096), 8)
  assert.deepEqual(check(bytes), { state: 'blank', size: 4096 })
  assert.equal(readRecord(bytes), undefined)
})

test('zeros and less than a head stop', () => {
  assert.equal(check(Buffer.alloc(200)).state, 'stop')
  assert.equal(check(Buffer.alloc(0)).state, 'stop')
  assert.equal(check(Buffer.from(recorded, 'hex'), 'body', 7).state, 'stop')
})

test('no prefix of a record is a record', () => {
  for (const record of [Buffer.from(recorded, 'hex'), v2, v2Crc]) {
    for (let length = 0; length < record.length; length++) {
      assert.equal(check(record.subarray(0, length)).state, 'stop')
      assert.equal(check(record, 'body', length).state, 'stop')
      assert.equal(readRecord(record.subarray(0, length)), undefined)
      assert.equal(readRecord(record, 0, { end: length }), undefined)
    }
  }
})

test('a record that is too large for its buffer or its format is refused before a byte is written', () => {
  const small = Buffer.alloc(110)
  assert.throws(() => writeRecord(small, 0, recordedDraft), RangeError)
  assert.ok(small.every(byte => byte === 0))
  const properties = Buffer.alloc(32_768, 'x')
  assert.throws(() => write(draftRecord({ properties })), RangeError)
})

test("a pull's body is read up to the first undecodable record", () => {
  const one = Buffer.from(recorded, 'hex')
  const torn = Buffer.concat([one, v2, one.subarray(0, 100)])
  assert.deepEqual(
    [...decodeRecords(torn)].map(message => message.queueOffset),
    [5, 9],
  )
  const wrongMagic = Buffer.concat([one, Buffer.alloc(91), one])
  assert.equal([...decodeRecords(wrongMagic)].length, 1)
})

const long = fc.maxSafeInteger()
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const anyHost = fc.oneof(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.uint8Array({ minLength: 20, maxLength: 20 }))
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isPropertyText)
const anyDraft = fc.record({
  queueId: int,
  flag: int,
  queueOffset: long,
  physicalOffset: long,
  sysFlag: int,
  bornTimestamp: long,
  bornHost: anyHost,
  storeTimestamp: long,
  storeHost: anyHost,
  reconsumeTimes: int,
  preparedTransactionOffset: long,
  body: fc.uint8Array({ maxLength: 400 }),
  topic: fc.string({ maxLength: 255 }).map(text => Buffer.from(text)),
  properties: fc.uniqueArray(fc.tuple(word, word), { selector: ([name]) => name, maxLength: 6 }),
})

test('what is written is what is read, for any draft at any place', () => {
  fc.assert(
    fc.property(anyDraft, fc.nat(40), (parts, at) => {
      const draft = draftRecord({ ...parts, properties: Buffer.from(printProperties(parts.properties)) })
      const bytes = Buffer.alloc(at + recordSize(draft) + 8, 0x55)
      const next = writeRecord(bytes, at, draft)
      assert.equal(next, bytes.length - 8)
      assert.ok(bytes.subarray(0, at).every(byte => byte === 0x55) && bytes.readUInt32BE(next) === 0x55555555)
      const layout = new RecordLayout()
      assert.equal(checkRecord(bytes, at, { end: bytes.length, verify: 'body', layout }), 'record')
      assert.equal(topicOf(bytes, layout), draft.topic.toString())
      const read = readRecord(bytes, at, { verifyCrc: true })
      assert.ok(read)
      assert.equal(read.next, next)
      for (const name of ['queueOffset', 'physicalOffset', 'bornTimestamp', 'storeTimestamp'] as const) {
        assert.equal(read.message[name], parts[name])
      }
      for (const name of ['queueId', 'flag', 'reconsumeTimes', 'preparedTransactionOffset'] as const) {
        assert.equal(read.message[name], parts[name])
      }
      assert.equal(read.message.sysFlag & ~0x30, parts.sysFlag & ~0x30)
      assert.deepEqual(Uint8Array.from(read.message.body), Uint8Array.from(parts.body))
      assert.deepEqual([...read.message.properties], parts.properties)
    }),
  )
})

test('no bytes make the readers throw or read past their end', () => {
  const head = fc.constantFrom(recorded, java.v2, java.v2_with_prop_crc)
  const flips = fc.array(fc.tuple(fc.nat(299), fc.nat(255)), { maxLength: 8 })
  fc.assert(
    fc.property(head, flips, fc.nat(320), (hex, changes, end) => {
      const bytes = Buffer.from(hex, 'hex')
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
      const { state, size } = check(bytes, 'none', end)
      if (state === 'record') assert.ok(size <= Math.min(end, bytes.length))
      const read = readRecord(bytes, 0, { end })
      if (read !== undefined) assert.ok(read.next <= Math.min(end, bytes.length))
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      assert.notEqual(check(bytes).state, 'record')
      assert.deepEqual([...decodeRecords(bytes)], [])
    }),
  )
})
